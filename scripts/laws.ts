/**
 * Are the laws held by tests? Counts who cites each law (`Verifies: L2` in the name of a test), and reads from
 * `docs/explanation/correctness.md` which files it names as the tests of each law.
 *
 * Usage: node scripts/laws.ts [root of the repository]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** Every law there is. */
export const laws: ReadonlyArray<string> = Array.from({ length: 12 }, (_, index) => `L${index + 1}`)

const page = "docs/explanation/correctness.md"

/** The fewest tests that a law may have. */
const enough = 2

/** Each law with the files whose tests cite it, a file once for each citation; one that is put together is not counted. */
export const citations = (root: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  const found = tests(root).flatMap((file) =>
    Array.from(Fs.readFileSync(Path.join(root, file), "utf8").matchAll(/\(Verifies: ([^)$]*)\)/g)).flatMap(
      ([, cited = ""]) => cited.split(", ").map((law) => ({ law, file }))
    )
  )
  return new Map(
    Array.from(Map.groupBy(found, ({ law }) => law)).map(([law, own]) => [law, own.map(({ file }) => file)])
  )
}

/** What is wrong, as sentences. */
export const findings = (root: string): ReadonlyArray<string> => {
  const cited = citations(root)
  const text = Fs.readFileSync(Path.join(root, page), "utf8")
  return [
    ...Array.from(cited)
      .filter(([law]) => !laws.includes(law))
      .flatMap(([law, files]) => files.map((file) => `${file} cites "${law}", which is no law`)),
    ...laws
      .filter((law) => (cited.get(law)?.length ?? 0) < enough)
      .map((law) => `${law} is cited by ${cited.get(law)?.length ?? 0} tests; it takes ${enough}`),
    ...named(text).flatMap((file) =>
      matches(root, file).length === 0 ? [`${page} names ${file}, which is not there`] : []
    ),
    ...laws.flatMap((law) => judge(root, law, section(text, law), cited.get(law) ?? []))
  ]
}

// --- internal ---

const tests = (root: string): ReadonlyArray<string> =>
  Fs.globSync("packages/*/test/**/*.ts", { cwd: root })
    .map((file) => file.replaceAll(Path.sep, "/"))
    .toSorted()

/** The files that a text names in code spans, below `packages` or from the root. */
const named = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/`([\w*./-]+\/[\w*./-]+\.ts)`/g), ([, file = ""]) => file)

const matches = (root: string, file: string): ReadonlyArray<string> =>
  Fs.globSync([`packages/${file}`, file, `packages/core/src/${file}`], { cwd: root }).map((found) =>
    found.replaceAll(Path.sep, "/")
  )

/** The part of the page that is about one law. */
const section = (text: string, law: string): string | undefined =>
  text.split(/^#+ /m).find((part) => part.startsWith(`${law} `))

const judge = (
  root: string,
  law: string,
  text: string | undefined,
  citing: ReadonlyArray<string>
): ReadonlyArray<string> => {
  if (text === undefined) return [`${page} has no section on ${law}`]
  const files = named(text.slice(text.indexOf("**Tests**"))).flatMap((file) => matches(root, file))
  if (!text.includes("**Tests**") || files.length === 0) return [`${page} names no tests of ${law}`]
  return files
    .filter((file) => !citing.includes(file))
    .map((file) => `${page} names ${file} as a test of ${law}, but it does not cite it`)
}

if (import.meta.main) {
  const root = Path.resolve(process.argv[2] ?? ".")
  const found = findings(root)
  for (const finding of found) console.error(finding)
  const counts = Array.from(citations(root)).map(([law, files]) => `${law} ${files.length}`)
  console.log(found.length === 0 ? `laws: cited ${counts.join(", ")}` : `laws: ${found.length} findings`)
  process.exitCode = found.length === 0 ? 0 : 1
}
