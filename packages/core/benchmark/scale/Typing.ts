/**
 * How long the compiler takes over a project of many assets, each with columns, inputs and mappings of its own.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"

const core = Path.resolve(import.meta.dirname, "../..")

/** Checks so many assets in files of fifty, and yields the milliseconds of the whole compilation. */
export const check = (count: number): number => {
  const directory = Fs.mkdtempSync(Path.join(core, "benchmark/scale/generated-"))
  try {
    const files = Math.ceil(count / 50)
    for (let file = 0; file < files; file++) {
      const indexes = Array.from({ length: Math.min(50, count - file * 50) }, (_, index) => file * 50 + index)
      Fs.writeFileSync(Path.join(directory, `assets${file}.ts`), [head, ...indexes.map(asset)].join("\n"))
    }
    const names = Array.from({ length: files }, (_, file) => `assets${file}`)
    Fs.writeFileSync(
      Path.join(directory, "graph.ts"),
      [
        `import * as AssetGraph from "@assay/core/AssetGraph"`,
        ...names.map((name) => `import * as ${name} from "./${name}.ts"`),
        `export const graph = AssetGraph.fromIterable([${names.map((name) => `...Object.values(${name})`).join(", ")}])`
      ].join("\n")
    )
    Fs.writeFileSync(
      Path.join(directory, "tsconfig.json"),
      JSON.stringify({ extends: "../../../../../tsconfig.check.json", include: ["*.ts"] })
    )
    const compiler = Path.resolve(core, "../../node_modules/.bin/tsc")
    const began = performance.now()
    ChildProcess.execFileSync(compiler, ["-p", directory], { stdio: ["ignore", "inherit", "inherit"] })
    return performance.now() - began
  } finally {
    Fs.rmSync(directory, { recursive: true })
  }
}

// --- internal ---

const head = `import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
`

const asset = (index: number): string => {
  const name = (of: number) => `asset${String(of).padStart(4, "0")}`
  const inputs =
    index % 50 === 0
      ? "{}"
      : `{ one: Asset.input(${name(index - 1)}, PartitionMapping.identity, { columns: ["day", "amount"] }) }`
  const compute = index % 50 === 0 ? "() => sql`SELECT 1`" : "({ one }) => sql`SELECT * FROM ${one} AS o`"
  return `export const ${name(index)} = Asset.make("${name(index)}", {
  description: "Asset ${index}",
  columns: Schema.Struct({ day: Column.date, amount: Column.integer, own_${index}: Column.nullable(Column.text) }),
  partitions: Partitions.daily({ start: "2024-01-01" }),
  inputs: ${inputs},
  write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
  compute: { sql: ${compute} }
})`
}
