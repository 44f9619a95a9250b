import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as Feed from "@assay/billing-assets/generator/Feed"
import * as FeedFile from "@assay/billing-assets/generator/FeedFile"
import * as Contract from "./Contract.ts"
import * as FeedFolder from "./FeedFolder.ts"

const small: Feed.Options = { customers: 60, months: 5, seed: 5 }

const temporary = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const names = (summary: FeedFile.Summary): ReadonlyArray<string> => summary.files.map(({ name }) => name)

it.layer(NodeServices.layer)("FeedFile", (it) => {
  describe("write", () => {
    it.effect("writes one file per month of arrival, one of them NDJSON and one compressed", () =>
      Effect.gen(function* () {
        const out = yield* temporary
        const summary = yield* FeedFile.write({ ...small, out })
        const files = yield* FeedFolder.read(out)
        assert.deepStrictEqual(names(summary), [
          "billing-2024-01.csv",
          "billing-2024-02.csv",
          "billing-2024-03.ndjson",
          "billing-2024-04.csv.gz",
          "billing-2024-05.csv"
        ])
        assert.deepStrictEqual(
          files.map(({ name }) => name),
          names(summary)
        )
      })
    )

    it.effect("counts what is in the files", () =>
      Effect.gen(function* () {
        const out = yield* temporary
        const summary = yield* FeedFile.write({ customers: 150, months: 6, seed: 3, out })
        const files = yield* FeedFolder.read(out)
        assert.deepStrictEqual(
          files.map(({ name, lines }) => ({
            name,
            rows: lines.length,
            malformed: lines.filter((line) => Contract.reasons(line).length > 0).length
          })),
          [...summary.files]
        )
        const total = (counts: Readonly<Partial<Record<string, number>>>): number =>
          Object.values(counts).reduce((sum: number, count) => sum + (count ?? 0), 0)
        assert.strictEqual(summary.rows, total(summary.causes))
        assert.strictEqual(summary.malformed, total(summary.faults))
        assert.isTrue(summary.malformed > 0)
      })
    )

    it.effect("writes the same bytes from the same options, into a new folder as over the old files", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const [one, other] = [yield* temporary, yield* temporary]
        const first = yield* FeedFile.write({ ...small, out: path.join(one, "made", "on the way") })
        yield* FeedFile.write({ ...small, seed: 6, out: other })
        const seed6 = yield* FeedFolder.read(other)
        yield* FeedFile.write({ ...small, out: other })
        for (const [index, name] of names(first).entries()) {
          const bytes = yield* fs.readFile(path.join(one, "made", "on the way", name))
          assert.deepStrictEqual(yield* fs.readFile(path.join(other, name)), bytes)
          assert.notStrictEqual((yield* FeedFolder.read(other))[index]?.text, seed6[index]?.text)
        }
      })
    )

    it.effect("compresses all files, or none, when it is told so; the content stays the same", () =>
      Effect.gen(function* () {
        const [all, none] = [yield* temporary, yield* temporary]
        const compressed = yield* FeedFile.write({ ...small, out: all, gzip: true })
        const plain = yield* FeedFile.write({ ...small, out: none, gzip: false })
        assert.isTrue(names(compressed).every((name) => name.endsWith(".gz")))
        assert.isFalse(names(plain).some((name) => name.endsWith(".gz")))
        const texts = (files: ReadonlyArray<FeedFolder.FeedText>) => files.map(({ text }) => text)
        assert.deepStrictEqual(texts(yield* FeedFolder.read(all)), texts(yield* FeedFolder.read(none)))
      })
    )

    it.effect("leaves no time in a compressed file", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const out = yield* temporary
        yield* FeedFile.write({ ...small, out })
        const bytes = yield* fs.readFile(path.join(out, "billing-2024-04.csv.gz"))
        assert.deepStrictEqual(Array.from(bytes.subarray(0, 8)), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
      })
    )

    it.effect("writes RFC 4180 with line feeds: cells with commas or quotes are quoted, others are not", () =>
      Effect.gen(function* () {
        const out = yield* temporary
        yield* FeedFile.write({ ...small, out })
        for (const { name, text } of yield* FeedFolder.read(out)) {
          assert.isTrue(text.endsWith("\n"))
          assert.notInclude(text, "\r")
          assert.notInclude(text, "\n\n")
          if (!name.includes(".ndjson")) assert.isTrue(text.startsWith(`${Contract.HEADER}\n`))
        }
        const [january] = yield* FeedFolder.read(out)
        assert.match(january?.text ?? "", /^evt_[0-9a-f]{10},cus_\d{6},customer_created,,,[^"]+,"\{""name"":""/m)
        assert.match(january?.text ?? "", /^evt_[0-9a-f]{10},cus_\d{6},invoice_paid,\d+\.\d+,[A-Z]{3},[^"]+,(\{\})?$/m)
      })
    )

    it.effect("refuses a folder with feed files that this feed does not have, and touches nothing", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const out = yield* temporary
        yield* fs.writeFileString(path.join(out, "README.md"), "a folder may hold other things")
        yield* FeedFile.write({ ...small, months: 2, out })
        yield* fs.writeFileString(path.join(out, "billing-2023-12.csv.gz"), "another feed")
        const january = yield* fs.readFile(path.join(out, "billing-2024-01.csv"))
        const error = yield* Effect.flip(FeedFile.write({ ...small, months: 1, seed: 6, out }))
        assert.include(error.message, "billing-2023-12.csv.gz, billing-2024-02.csv")
        assert.include(error.message, out)
        assert.include(error.message, "Choose an empty folder")
        assert.strictEqual(yield* fs.readFileString(path.join(out, "billing-2023-12.csv.gz")), "another feed")
        assert.deepStrictEqual(yield* fs.readFile(path.join(out, "billing-2024-01.csv")), january)
      })
    )

    it.effect("says which folder or file cannot be written", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const out = yield* temporary
        yield* fs.writeFileString(path.join(out, "taken"), "a file")
        const noFolder = yield* Effect.flip(FeedFile.write({ ...small, out: path.join(out, "taken") }))
        assert.include(noFolder.message, `Cannot use the folder ${path.join(out, "taken")}`)
        yield* fs.makeDirectory(path.join(out, "feed", "billing-2024-02.csv"), { recursive: true })
        const noFile = yield* Effect.flip(FeedFile.write({ ...small, out: path.join(out, "feed") }))
        assert.include(noFile.message, `Cannot write ${path.join(out, "feed", "billing-2024-02.csv")}`)
      })
    )

    it.effect("refuses options before it makes the folder", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const out = path.join(yield* temporary, "feed")
        const error = yield* Effect.flip(FeedFile.write({ ...small, months: 0, out }))
        assert.include(error.message, "months must be")
        assert.isFalse(yield* fs.exists(out))
      })
    )
  })
})
