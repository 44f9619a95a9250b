import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Fs from "node:fs/promises"
import { randomBytes } from "node:crypto"
import * as Feed from "./Feed.ts"

const header = "id,amount,note\n"
const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `r${from + index},${index},n\n`).join("")
/** Text that gzip cannot shrink, so that the compressed file is longer than one read. */
const noise = (count: number) =>
  Array.from({ length: count }, (_, index) => `r${index},${index},${randomBytes(300).toString("base64")}\n`).join("")

describe("FileSource, compressed files", () => {
  it.effect("lands what stands before the break of a truncated file, and the rest when it is whole", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const whole = Feed.gzip(`${header}${noise(5000)}`)
      yield* Feed.write(folder, "a.csv.gz", whole.subarray(0, whole.length - 100_000))
      const source = Feed.source(folder, { batchSize: 100 })
      const first = yield* Feed.land(source)
      assert.deepStrictEqual([first.error?.kind, first.error?.origin], ["Unreadable", "a.csv.gz"])
      assert.strictEqual(
        first.error?.message,
        `${folder}/a.csv.gz is gzip that ends in its middle: it is truncated, or still being written. Land it again when ` +
          "it is whole."
      )
      assert.isAbove(first.rows.length, 0)
      assert.isBelow(first.rows.length, 5000)
      const again = yield* Feed.land(source, first)
      assert.deepStrictEqual([again.deliveries, again.error?.kind], [["a.csv.gz"], "Unreadable"])
      yield* Feed.write(folder, "a.csv.gz", whole)
      const second = yield* Feed.land(source, again)
      assert.deepStrictEqual(
        Feed.ids(second),
        Array.from({ length: 5000 }, (_, index) => `r${index}`)
      )
      assert.deepStrictEqual((yield* Feed.land(source, second)).deliveries, [])
    })
  )

  it.effect("refuses damaged data, something else behind the end, and what is no gzip", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const whole = Feed.gzip(`${header}${rows(10)}`)
      const damaged = Buffer.from(whole)
      damaged[damaged.length - 6] = (damaged[damaged.length - 6] ?? 0) ^ 1
      yield* Feed.write(folder, "1.csv.gz", damaged)
      yield* Feed.write(folder, "2.csv.gz", Buffer.concat([whole, Buffer.from("x,1,n\n")]))
      yield* Feed.write(folder, "3.csv.gz", `${header}x,1,n\n`)
      yield* Feed.write(folder, "4.csv.gz", Buffer.concat([whole, Buffer.alloc(600_000), whole]))
      const errors = yield* Effect.forEach(["1", "2", "3", "4"], (name) =>
        Feed.land(Feed.source(`${folder}/${name}.csv.gz`))
      )
      assert.deepStrictEqual(
        errors.map(({ positions }) => positions.size),
        [0, 0, 0, 0]
      )
      assert.deepStrictEqual(
        errors.map(({ error }) => error?.message),
        [
          `${folder}/1.csv.gz is damaged gzip (incorrect data check). Replace it, then land it again.`,
          `${folder}/2.csv.gz is damaged gzip (incorrect header check). Replace it, then land it again.`,
          `${folder}/3.csv.gz is named .gz but is not gzip. Compress it, or name it for what it is.`,
          `${folder}/4.csv.gz has other data behind the end of its gzip data (byte ${whole.length}). Replace it, then land ` +
            "it again."
        ]
      )
    })
  )

  it.effect("reads members that follow each other, and padding behind them", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const members = [Feed.gzip(`${header}x,1`), Feed.gzip(",n\ny"), Feed.gzip(",2,n\n"), Buffer.alloc(600_000)]
      yield* Feed.write(folder, "a.csv.gz", Buffer.concat(members))
      const landed = yield* Feed.land(Feed.source(folder))
      assert.deepStrictEqual(
        [Feed.lines(landed), landed.error],
        [
          [
            ["x", 2],
            ["y", 3]
          ],
          undefined
        ]
      )
      assert.deepStrictEqual((yield* Feed.land(Feed.source(folder), landed)).deliveries, [])
    })
  )
})

describe("FileSource, files that change while they are read", () => {
  const content = `${header}${rows(10)}last,1`

  /** Changes the file after the first batch, then lands what is due until nothing is. */
  const disturbed = Effect.fnUntraced(function* (
    text: string,
    change: (folder: string) => Effect.Effect<void>,
    batchSize: number = 3
  ) {
    const folder = yield* Feed.folder
    const source = Feed.source(folder, { batchSize })
    yield* Feed.write(folder, "a.csv", text)
    const onBatch = (index: number) => (index === 1 ? change(folder) : Effect.void)
    const first = yield* Feed.land(source, Feed.nothing, { onBatch })
    const second = yield* Feed.land(source, first)
    const third = yield* Feed.land(source, second)
    assert.deepStrictEqual([third.deliveries, third.error], [[], undefined])
    return { first, second }
  })

  it.effect("holds a last line back that is still being written", () =>
    Effect.gen(function* () {
      const { first, second } = yield* disturbed(content, (folder) => Feed.append(folder, "a.csv", "5,n"))
      assert.deepStrictEqual(first.warnings, ["a.csv changed while it was read: what changed is landed the next time"])
      assert.deepStrictEqual(first.rejected, [])
      assert.strictEqual(first.rows.length, 10)
      assert.deepStrictEqual(Feed.lines(second).slice(10), [["last", 12]])
      assert.deepStrictEqual(second.rejected, [])
    })
  )

  it.effect("keeps what it landed of a file that is cut short, once", () =>
    Effect.gen(function* () {
      const { first, second } = yield* disturbed(content, (folder) =>
        Effect.promise(() => Fs.truncate(`${folder}/a.csv`, header.length + 7))
      )
      assert.strictEqual(first.rows.length, 10)
      assert.deepStrictEqual(Feed.ids(second), Feed.ids(first))
    })
  )

  it.effect("lands both contents of a file that is rewritten or replaced", () =>
    Effect.gen(function* () {
      const large = `${header}${rows(30_000)}`
      const other = `${header}${rows(30_000, 15_000).replaceAll(",n", ",m")}`
      const changes: ReadonlyArray<(folder: string) => Effect.Effect<void>> = [
        (folder) => Feed.write(folder, "a.csv", other),
        (folder) =>
          Effect.andThen(
            Feed.write(folder, "b", other),
            Effect.promise(() => Fs.rename(`${folder}/b`, `${folder}/a.csv`))
          )
      ]
      for (const change of changes) {
        const { first, second } = yield* disturbed(large, change, 1000)
        assert.isAbove(first.rows.length, 0)
        const notes = second.rows.filter(({ note }) => note === "m")
        assert.strictEqual(notes.length, 30_000)
        assert.strictEqual(new Set(second.rows.map(({ hash }) => hash)).size, second.rows.length)
      }
    })
  )
})

describe("FileSource, landings that die", () => {
  it.effect("go on behind the last batch that was kept, wherever they died", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const text = [
        "\uFEFFid,amount,note",
        'a,1,"one',
        'two"',
        "b,,",
        "",
        'c,3,"x"y',
        'd,4,"open',
        "e,5,n",
        'f,6,"closed"',
        `g,7,${"long".repeat(100_000)}`,
        "h,8,é",
        'i,9,"never'
      ].join("\r\n")
      yield* Feed.write(folder, "a.csv", text)
      yield* Feed.write(folder, "b.csv.gz", Feed.gzip(text.replaceAll("é", "ü")))
      const source = Feed.source(folder, { batchSize: 1, maxRecordBytes: 300_000 })
      const whole = yield* Feed.land(source)
      assert.isAbove(whole.batches.length, 10)
      for (let batches = 0; batches <= whole.batches.length; batches++) {
        const died = yield* Feed.land(source, Feed.nothing, { batches })
        const again = yield* Feed.land(source, died)
        assert.deepStrictEqual(again.rows, whole.rows)
        assert.deepStrictEqual(again.rejected, whole.rejected)
        assert.deepStrictEqual((yield* Feed.land(source, again)).deliveries, [])
      }
    })
  )

  it.effect("read anew when what decided about a landed record was changed meanwhile", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder, { batchSize: 1 })
      for (const batches of [1, 2]) {
        yield* Feed.write(folder, "a.csv", `${header}a,1,"x\nb,2,n\nc,3,y"z\n`)
        const died = yield* Feed.land(source, Feed.nothing, { batches })
        assert.deepStrictEqual(
          died.rejected.map(({ raw }) => raw),
          ['a,1,"x']
        )
        yield* Feed.write(folder, "a.csv", `${header}a,1,"x\nb,2,n\nc,3,y"\nz,4,n\n`)
        const again = yield* Feed.land(source, died)
        assert.deepStrictEqual(
          again.rows.slice(batches - 1).map(({ hash }) => hash),
          ['a,1,"x\nb,2,n\nc,3,y"', "z,4,n"]
        )
        assert.strictEqual(again.rejected.length, 1)
      }
    })
  )

  it.effect("read anew when the file was changed meanwhile", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder, { batchSize: 2 })
      yield* Feed.write(folder, "a.csv", `${header}${rows(10)}`)
      const died = yield* Feed.land(source, Feed.nothing, { batches: 2 })
      assert.strictEqual(died.rows.length, 4)
      yield* Feed.write(folder, "a.csv", `${header}new,1,n\n${rows(10)}`)
      const again = yield* Feed.land(source, died, { batches: 2 })
      const last = yield* Feed.land(source, again)
      assert.sameMembers([...Feed.ids(last)], ["new", ...Array.from({ length: 10 }, (_, index) => `r${index}`)])
    })
  )
})
