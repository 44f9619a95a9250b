/**
 * Reads a folder of feed files as the pipeline would find it, so that tests judge what was written and not what the
 * generator says of it.
 */
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { gunzipSync } from "node:zlib"
import * as Contract from "./Contract.ts"

/** A file: its name, its text after decompression, and its rows without the header. */
export interface FeedText {
  readonly name: string
  readonly text: string
  readonly lines: ReadonlyArray<Contract.Line>
}

/** The feed files of a folder in the order of their names. */
export const read = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.readDirectory(folder)).filter((name) => name.startsWith("billing-")).toSorted()
  return yield* Effect.forEach(names, (name) =>
    Effect.gen(function* () {
      const bytes = yield* fs.readFile(path.join(folder, name))
      const text = new TextDecoder("utf-8", { fatal: true }).decode(name.endsWith(".gz") ? gunzipSync(bytes) : bytes)
      const lines = name.includes(".ndjson") ? ndjson(text) : yield* csv(text)
      return { name, text, lines } satisfies FeedText
    })
  )
})

const ndjson = (text: string): ReadonlyArray<Contract.Line> => text.split("\n").slice(0, -1).map(Contract.fromJson)

const csv = (text: string) =>
  Stream.succeed(text).pipe(
    Stream.pipeThroughChannel(Csv.decodeString()),
    Stream.drop(1),
    Stream.map(Contract.fromCells),
    Stream.runCollect
  )
