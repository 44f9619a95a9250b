/**
 * Is `packages/core/schema.sql` what the migrations lead to? `--write` makes it so; without it, the command fails and
 * shows the first difference.
 *
 * Usage: node scripts/schema.ts [--write]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { start } from "../packages/core/test/support/Postgres.ts"
import { ofServer } from "../packages/core/test/support/SchemaDump.ts"

const file = Path.join(import.meta.dirname, "..", "packages", "core", "schema.sql")

/** The first line in which two texts differ, as a sentence; undefined where they are equal. */
export const difference = (written: string, expected: string): string | undefined => {
  if (written === expected) return undefined
  const lines = written.split("\n")
  const wanted = expected.split("\n")
  const index = wanted.findIndex((line, at) => line !== lines[at])
  const at = index === -1 ? wanted.length : index
  return `line ${at + 1} is\n  ${lines[at] ?? "(missing)"}\nbut the migrations make it\n  ${wanted[at] ?? "(nothing)"}`
}

if (import.meta.main) {
  const server = await start({ durable: false })
  const expected = await ofServer(server.url)
  await server.stop()
  if (process.argv.includes("--write")) {
    Fs.writeFileSync(file, expected)
  } else {
    const found = difference(Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : "", expected)
    if (found !== undefined) {
      console.error(`packages/core/schema.sql is out of date: ${found}\nRun \`pnpm schema:dump\` and commit the file.`)
      process.exitCode = 1
    }
  }
}
