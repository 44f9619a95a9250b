import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as Fs from "node:fs/promises"
import * as Feed from "./Feed.ts"

const header = "id,amount,note\n"
const toJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

/** Lands a file as it is, then as it has become; the second landing gives what it adds. */
const twice = Effect.fnUntraced(function* (
  first: string | Uint8Array,
  second: string | Uint8Array,
  name: string = "a.csv"
) {
  const folder = yield* Feed.folder
  const source = Feed.source(folder, { batchSize: 2 })
  yield* Feed.write(folder, name, first)
  const before = yield* Feed.land(source)
  yield* Feed.write(folder, name, second)
  const after = yield* Feed.land(source, before)
  const third = yield* Feed.land(source, after)
  assert.deepStrictEqual([third.deliveries, third.error], [[], undefined])
  const isRewritten = [...after.positions.values()].some(({ value }) =>
    JSON.stringify(value).includes('"isRewritten":true')
  )
  const lines = Feed.lines(after).slice(before.rows.length)
  const rejected = after.rejected.slice(before.rejected.length).map(({ line, raw }) => [line, raw])
  return { lines, rejected, isRewritten, deliveries: after.deliveries }
})

describe("FileSource, files that grow", () => {
  it.effect("lands only what was appended, on its lines", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,"a\nb"\ny,2,\n`
      assert.deepStrictEqual(yield* twice(first, `${first}z,,\n\nw,4,\n`), {
        lines: [["w", 7]],
        rejected: [[5, "z,,"]],
        isRewritten: false,
        deliveries: ["a.csv"]
      })
    })
  )

  it.effect("goes on behind a last line that had no break", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,a`
      assert.deepStrictEqual((yield* twice(first, `${first}\ny,2,b`)).lines, [["y", 3]])
      assert.deepStrictEqual((yield* twice(first, `${first}\r\ny,2,b\r\n`)).lines, [["y", 3]])
      assert.deepStrictEqual((yield* twice(first, `${first}\n`)).isRewritten, false)
      assert.deepStrictEqual((yield* twice(`${first}\r`, `${first}\r\ny,2,b`)).lines, [["y", 3]])
    })
  )

  it.effect("takes a last line that went on for a rewritten file, and lands it whole", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,a\ny,2,b`
      assert.deepStrictEqual(yield* twice(first, `${first}c\nz,3,d\n`), {
        lines: [
          ["y", 3],
          ["z", 4]
        ],
        rejected: [],
        isRewritten: true,
        deliveries: ["a.csv"]
      })
      assert.deepStrictEqual((yield* twice(`${header}x,1,"a"`, `${header}x,1,"a""b"\n`)).lines, [["x", 2]])
      assert.deepStrictEqual((yield* twice(`${header}x,1,a`, `${header}x,1,a\rb\n`)).lines, [["x", 2]])
    })
  )

  it.effect("reads anew where a quote was still open at the end, since what follows may close it", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,"a\n`
      assert.deepStrictEqual(yield* twice(first, `${first}b"\ny,2,c\n`), {
        lines: [
          ["x", 2],
          ["y", 4]
        ],
        rejected: [],
        isRewritten: true,
        deliveries: ["a.csv"]
      })
    })
  )

  it.effect("goes on in compressed files, in NDJSON, and behind a header alone", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,a\n`
      const gz = Feed.gzip(first)
      const member = Feed.gzip("y,2,b\n")
      assert.deepStrictEqual((yield* twice(gz, Buffer.concat([gz, member]), "a.csv.gz")).lines, [["y", 3]])
      const packed = yield* twice(gz, Feed.gzip(`${first}y,2,b\n`), "a.csv.gz")
      assert.deepStrictEqual([packed.lines, packed.isRewritten], [[["y", 3]], false])
      const json = '{"id":"x","amount":1}\n'
      assert.deepStrictEqual((yield* twice(json, `${json}{"id":"y","amount":2}`, "a.ndjson")).lines, [["y", 2]])
      assert.deepStrictEqual((yield* twice(header, `${header}x,1,a\n`)).lines, [["x", 2]])
      assert.deepStrictEqual((yield* twice("", '{"id":"y","amount":2}', "a.ndjson")).lines, [["y", 1]])
    })
  )

  it.effect("goes on after line that was too long to be kept", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,${"a".repeat(1_500_000)}\n`
      assert.deepStrictEqual(yield* twice(first, `${first}y,2,b\n`), {
        lines: [["y", 3]],
        rejected: [],
        isRewritten: false,
        deliveries: ["a.csv"]
      })
    })
  )
})

describe("FileSource, files that are rewritten", () => {
  it.effect("lands new and changed rows, by the columns that know a row", () =>
    Effect.gen(function* () {
      const landed = yield* twice(`${header}x,1,a\ny,2,b\nz,3,c\n`, `${header}w,0,n\nx,1,a\ny,5,b\nz,3,c\n`)
      assert.deepStrictEqual(landed, {
        lines: [
          ["w", 2],
          ["y", 4]
        ],
        rejected: [],
        isRewritten: true,
        deliveries: ["a.csv"]
      })
    })
  )

  it.effect("reads a file anew that became shorter, or got another header", () =>
    Effect.gen(function* () {
      const first = `${header}x,1,a\ny,2,b\n`
      assert.deepStrictEqual((yield* twice(first, `${header}x,1,a\n`)).lines, [])
      assert.deepStrictEqual((yield* twice(first, "amount,id\n1,x\n2,y\n")).lines, [
        ["x", 2],
        ["y", 3]
      ])
    })
  )

  it.effect("knows rows from then on, also of what is appended later", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder)
      yield* Feed.write(folder, "a.csv", `${header}x,1,a\ny,2,b\n`)
      const first = yield* Feed.land(source)
      yield* Feed.write(folder, "a.csv", `${header}z,3,c\n`)
      const second = yield* Feed.land(source, first)
      yield* Feed.append(folder, "a.csv", "y,2,b\nw,4,d\n")
      const third = yield* Feed.land(source, second)
      assert.deepStrictEqual(Feed.ids(third), ["x", "y", "z", "w"])
    })
  )

  it.effect("reads a file anew whose position it cannot read", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.csv", `${header}x,1,a\n`)
      const first = yield* Feed.land(Feed.source(folder))
      const positions = new Map([["a.csv", { origin: "a.csv", value: { page: 3 } }]])
      const second = yield* Feed.land(Feed.source(folder), { ...first, positions })
      assert.deepStrictEqual(Feed.ids(second), ["x"])
      assert.deepStrictEqual(second.batches, [1])
    })
  )
})

describe("FileSource, files that were landed", () => {
  it.effect("skips a content that was landed under another name", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder)
      yield* Feed.write(folder, "b.csv", `${header}x,1,a\n`)
      const first = yield* Feed.land(source)
      yield* Feed.write(folder, "a.csv", `${header}x,1,a\n`)
      yield* Feed.write(folder, "c/d.csv", `${header}x,1,a\n`)
      yield* Feed.write(folder, "e.csv", `${header}y,1,a\n`)
      const second = yield* Feed.land(source, first)
      assert.deepStrictEqual([second.deliveries, Feed.ids(second)], [["e.csv"], ["x", "y"]])
    })
  )

  it.effect("lands the first of several new files of one content", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder)
      for (const name of ["b.csv", "a.csv", "c.csv"]) yield* Feed.write(folder, name, `${header}x,1,a\n`)
      const first = yield* Feed.land(source)
      assert.deepStrictEqual([first.deliveries, Feed.ids(first)], [["a.csv"], ["x"]])
      assert.deepStrictEqual((yield* Feed.land(source, first)).deliveries, [])
    })
  )

  it.effect("goes on in the file that was begun, where another one has its content", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder, { batchSize: 1 })
      yield* Feed.write(folder, "b.csv", `${header}x,1,a\ny,2,b\nz,3,c\n`)
      const died = yield* Feed.land(source, Feed.nothing, { batches: 1 })
      yield* Feed.write(folder, "a.csv", `${header}x,1,a\ny,2,b\nz,3,c\n`)
      const again = yield* Feed.land(source, died)
      assert.deepStrictEqual([again.deliveries, Feed.ids(again)], [["b.csv"], ["x", "y", "z"]])
      assert.deepStrictEqual((yield* Feed.land(source, again)).deliveries, [])
    })
  )

  it.effect("goes on in a file that was renamed and has grown", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "today.csv", `${header}x,1,a\n`)
      const first = yield* Feed.land(Feed.source(folder))
      yield* Effect.promise(() => Fs.rename(`${folder}/today.csv`, `${folder}/yesterday.csv`))
      yield* Feed.append(folder, "yesterday.csv", "y,2,b\n")
      const second = yield* Feed.land(Feed.source(folder), first)
      assert.deepStrictEqual(Feed.lines(second), [
        ["x", 2],
        ["y", 3]
      ])
      assert.deepStrictEqual(second.deliveries, ["yesterday.csv"])
    })
  )

  it.effect("knows a file of a glob again when it is given alone", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "2024/a.csv", `${header}x,1,a\n`)
      const first = yield* Feed.land(Feed.source(`${folder}/**/*.csv`))
      yield* Feed.append(folder, "2024/a.csv", "y,2,b\n")
      const second = yield* Feed.land(Feed.source(`${folder}/2024/a.csv`), first)
      assert.deepStrictEqual(
        [second.deliveries, Feed.lines(second)],
        [
          ["a.csv"],
          [
            ["x", 2],
            ["y", 3]
          ]
        ]
      )
    })
  )

  /** Lands a file at an instant, then makes its position claim another content: only reading could tell. */
  const misled = Effect.fnUntraced(function* (restingMillis: number) {
    const folder = yield* Feed.folder
    yield* Feed.write(folder, "a.csv", `${header}x,1,a\n`)
    yield* Effect.promise(() => Fs.utimes(`${folder}/a.csv`, 1_700_000_000, 1_700_000_000))
    yield* TestClock.setTime(1_700_000_000_000 + restingMillis)
    const first = yield* Feed.land(Feed.source(folder))
    const positions = new Map(
      [...first.positions].map(([origin, { value }]) => [
        origin,
        { origin, value: toJson(JSON.stringify(value).replace(/"sha256":"\w+"/, '"sha256":"other"')) }
      ])
    )
    return (yield* Feed.land(Feed.source(folder), { ...first, positions })).deliveries
  })

  it.effect("does not read a file that was at rest when it was landed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* misled(2000), [])
    })
  )

  it.effect("reads a file again that was written just before it was landed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* misled(1999), ["a.csv"])
    })
  )

  it.effect("notices a file of the same size and time by its inode or its change time", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.csv", `${header}x,1,a\n`)
      yield* Effect.promise(() => Fs.utimes(`${folder}/a.csv`, 1_700_000_000, 1_700_000_000))
      yield* TestClock.setTime(1_700_000_005_000)
      const first = yield* Feed.land(Feed.source(folder))
      yield* Feed.write(folder, "new.csv", `${header}y,1,a\n`)
      yield* Effect.promise(() => Fs.rename(`${folder}/new.csv`, `${folder}/a.csv`))
      yield* Effect.promise(() => Fs.utimes(`${folder}/a.csv`, 1_700_000_000, 1_700_000_000))
      const second = yield* Feed.land(Feed.source(folder), first)
      assert.deepStrictEqual(Feed.ids(second), ["x", "y"])
    })
  )
})
