import * as FileSet from "@assay/core/source/FileSet"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fs from "node:fs/promises"
import * as Feed from "./Feed.ts"

const text = "id,amount\nx,1\n"
const origins = (path: string) =>
  Effect.map(FileSet.list(path, "FEED_PATH"), (files) => files.map(({ origin }) => origin))

/** A folder with data files, files that are none, and hidden ones. */
const feed = Effect.gen(function* () {
  const folder = yield* Feed.folder
  const names = ["b.csv", "a.ndjson.gz", "2024/03/c.jsonl", "2024/B.CSV", "10.csv", "9.csv", "[x].csv", "é.csv.gz"]
  for (const name of [...names, "README.md", ".hidden.csv", ".git/x.csv", "c.csv.tmp"])
    yield* Feed.write(folder, name, text)
  return folder
})

describe("FileSet", () => {
  it.effect("finds the data files directly in a folder, in the order of their names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* origins(yield* feed), [
        "10.csv",
        "9.csv",
        "[x].csv",
        "a.ndjson.gz",
        "b.csv",
        "é.csv.gz"
      ])
    })
  )

  it.effect("gives a file the same origin, however its folder is named", () =>
    Effect.gen(function* () {
      const folder = yield* feed
      assert.deepStrictEqual(yield* origins(`${folder}/b.csv`), ["b.csv"])
      assert.deepStrictEqual(yield* origins(`${folder}/b*`), ["b.csv"])
      assert.deepStrictEqual(yield* origins(`${folder}/./2024/../b.csv`), ["b.csv"])
    })
  )

  it.effect("takes exactly what a glob matches, told from before its first pattern", () =>
    Effect.gen(function* () {
      const folder = yield* feed
      assert.deepStrictEqual(yield* origins(`${folder}/20*/**/*.{jsonl,CSV}`), ["2024/03/c.jsonl", "2024/B.CSV"])
      assert.deepStrictEqual(yield* origins(`${folder}/2024/*`), ["B.CSV"])
      assert.deepStrictEqual(yield* origins(`${folder}/*.md`), ["README.md"])
      assert.deepStrictEqual(yield* origins(`${folder}/?.csv`), ["9.csv", "b.csv"])
    })
  )

  it.effect("takes a path that exists for what it is, even if it looks like a glob", () =>
    Effect.gen(function* () {
      const folder = yield* feed
      assert.deepStrictEqual(yield* origins(`${folder}/[x].csv`), ["[x].csv"])
    })
  )

  it.effect("follows links to files, not into folders", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "elsewhere/a.csv", text)
      yield* Effect.promise(() => Fs.mkdir(`${folder}/feed`))
      yield* Effect.promise(() => Fs.symlink(`${folder}/elsewhere`, `${folder}/feed/folder`))
      yield* Effect.promise(() => Fs.symlink(`${folder}/elsewhere/a.csv`, `${folder}/feed/b.csv`))
      assert.deepStrictEqual(yield* origins(`${folder}/feed`), ["b.csv"])
    })
  )

  const refused = (path: string) =>
    Effect.map(Effect.flip(FileSet.list(path, "FEED_PATH")), (error) => {
      assert.deepStrictEqual([error._tag, error.kind], ["SourceError", "Unreadable"])
      return error.message
    })

  it.effect("says which path leads nowhere and what to set", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const path = `${folder}/nowhere.csv`
      assert.strictEqual(
        yield* refused(path),
        `There is nothing at "${path}". Set FEED_PATH to a file, a folder or a glob that exists.`
      )
      yield* Feed.write(folder, "a.csv", text)
      assert.include(yield* refused(`${folder}/a.csv/b.csv`), "There is nothing at")
    })
  )

  it.effect("takes a folder without data files, or a glob without matches, for a mistake", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "notes.txt", text)
      assert.strictEqual(
        yield* refused(folder),
        `The folder "${folder}" (${folder}) holds no data file. Expected are files ending in .csv, .ndjson, .jsonl, ` +
          `.csv.gz, .ndjson.gz, .jsonl.gz; folders inside it are not searched (a glob such as "${folder}/**" does). Put one ` +
          "there, or correct FEED_PATH."
      )
      assert.strictEqual(
        yield* refused(`${folder}/*.csv`),
        `No file matches "${folder}/*.csv" below ${folder}. Correct FEED_PATH, or put a file there.`
      )
      yield* Effect.promise(() => Fs.mkdir(`${folder}/folder.csv`))
      assert.include(yield* refused(`${folder}/*.csv`), "No file matches")
    })
  )

  it.effect("does not pass over a link to nothing", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.csv", text)
      yield* Effect.promise(() => Fs.symlink(`${folder}/gone.csv`, `${folder}/b.csv`))
      assert.strictEqual(yield* refused(folder), `${folder}/b.csv is a link to nothing. Mend the link, or remove it.`)
    })
  )

  it.effect("does not pass over a file whose name is not UTF-8", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Effect.promise(() => Fs.writeFile(Buffer.from(`${folder}/caf\xe9.csv`, "latin1"), text))
      assert.include(yield* refused(folder), "its name is not UTF-8. Rename the file.")
    })
  )

  it.effect("reads files of other names when they are asked for, by what they begin with", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "csv.txt", text)
      yield* Feed.write(folder, "ndjson.txt", '\n {"id":"y","amount":"2"}\n')
      yield* Feed.write(folder, "packed.csv", Feed.gzip("id,amount\nz,3\n"))
      const landed = yield* Feed.land(Feed.source(`${folder}/*`))
      assert.deepStrictEqual(Feed.ids(landed), ["x", "y", "z"])
    })
  )
})
