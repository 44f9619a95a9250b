/**
 * What does the best hand-written SQL do for the same result? The statements of `floor/*.sql`, with the names of this run
 * put in: `${name}` stands for a value, `${include file name=value}` for another file.
 */
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Client from "./Client.ts"

/** What is put into the statements. */
export type Values = Readonly<Record<string, string>>

/** The statements of a file. */
export const statements = (file: string, values: Values): ReadonlyArray<string> =>
  read(file, values)
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "")

/** The floor on a connection of its own, tuned for it. */
export interface Floor {
  /** Runs the statements of files. */
  readonly run: (files: ReadonlyArray<string>) => Effect.Effect<void, SqlError>
  /** The same within one transaction. */
  readonly transact: (files: ReadonlyArray<Step>) => Effect.Effect<void, SqlError>
}

/** A file of statements and what is put into them. */
export type Step = readonly [file: string, values?: Values]

/** Opens the connection; what a session can be tuned by is set on it. */
export const make = Effect.fnUntraced(function* (options: { readonly url: string; readonly values: Values }) {
  const client = yield* Client.connect(options.url, "assay-benchmark-floor")
  const step = ([file, values = {}]: Step) =>
    Effect.forEach(statements(file, { ...options.values, ...values }), (text) => client.unsafe(text).raw, {
      discard: true
    })
  yield* client.unsafe(`DROP SCHEMA IF EXISTS ${options.values["floor"]} CASCADE`).raw
  yield* client.unsafe(`CREATE SCHEMA ${options.values["floor"]}`).raw
  // Set anew each time: what idles while Assay works may be another session behind it.
  const tuned = (steps: ReadonlyArray<Step>) => Effect.forEach([settings, ...steps], step, { discard: true })
  yield* tuned([["tables.sql"]])
  const floor: Floor = {
    run: (files) => tuned(files.map((file): Step => [file])),
    transact: (files) => client.withTransaction(tuned(files))
  }
  return floor
})

// --- internal ---

const settings: Step = ["settings.sql"]

const folder = Path.join(import.meta.dirname, "floor")

const read = (file: string, values: Values): string =>
  Fs.readFileSync(Path.join(folder, file), "utf8").replace(/\$\{(.+?)\}/g, (text: string, name: string) => {
    const [, included, as = "", given] = /^include (\S+)(?: (\w+)=(.*))?$/.exec(name) ?? []
    if (included !== undefined)
      return read(included, given === undefined ? values : { ...values, [as]: given }).trimEnd()
    const value = values[name]
    if (value === undefined) throw new Error(`${file} asks for ${text}, which this run does not give`)
    return value
  })
