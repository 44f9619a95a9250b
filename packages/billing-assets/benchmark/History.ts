/**
 * What did earlier runs measure? A file of one JSON object per line, to which each run adds itself.
 */
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"

const Cost = Schema.Struct({
  ms: Schema.Finite,
  nodeMs: Schema.Finite,
  serverMs: Schema.NullOr(Schema.Finite),
  walBytes: Schema.Finite,
  statements: Schema.NullOr(Schema.Finite),
  touches: Schema.NullOr(Schema.Finite),
  nodeMb: Schema.NullOr(Schema.Finite),
  serverMb: Schema.NullOr(Schema.Finite)
})

const Stage = Schema.Struct({
  name: Schema.String,
  what: Schema.String,
  rows: Schema.NullOr(Schema.Finite),
  assay: Cost,
  floor: Schema.NullOr(Cost),
  times: Schema.Finite,
  aim: Schema.NullOr(Schema.Struct({ text: Schema.String, isMet: Schema.Boolean }))
})

/** A run: when, on which machine, how much, and its stages. */
export const Entry = Schema.Struct({
  at: Schema.String,
  machine: Schema.Struct({
    processor: Schema.String,
    cores: Schema.Finite,
    memoryGb: Schema.Finite,
    system: Schema.String,
    node: Schema.String,
    postgres: Schema.String,
    /** How many processes were waiting for a processor when the run began; above the cores, the times are not its own. */
    load: Schema.Finite
  }),
  rows: Schema.Finite,
  seed: Schema.Finite,
  stages: Schema.Array(Stage)
})

/** A run: when, on which machine, how much, and its stages. */
export type Entry = typeof Entry.Type

/** Adds a run to the file, which is made when it is not there. */
export const add = (path: string, entry: Entry): void => {
  Fs.mkdirSync(Path.dirname(path), { recursive: true })
  Fs.appendFileSync(path, `${JSON.stringify(entry)}\n`)
}

/** The runs of a file, oldest first. */
export const read = (path: string): ReadonlyArray<Entry> =>
  Fs.readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => decode(line))

// --- internal ---

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Entry))
