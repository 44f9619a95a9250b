/** Texts that PostgreSQL cannot hold, or holds otherwise than memory does: they land on it as they land in memory. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TestDatabase from "../support/TestDatabase.ts"
import * as Bronze from "./Bronze.ts"
import * as Feed from "./Feed.ts"

const header = "id,amount,note\n"
const bytes = (...parts: ReadonlyArray<string | ReadonlyArray<number>>) =>
  Buffer.concat(parts.map((part) => Buffer.from(part)))

const feeds: ReadonlyArray<{ readonly name: string; readonly file: string; readonly bytes: string | Buffer }> = [
  { name: "NUL bytes", file: "a.csv", bytes: `${header}x\0,1,\n\0,\0,\0\ny,1,␀\n` },
  {
    name: "bytes that are no UTF-8",
    file: "a.csv",
    bytes: bytes(header, "x,1,caf", [0xe9], "\ny,2,", [0xed, 0xa0, 0x80], "\nz,3,", [0xc0, 0x80], "\nw,4,\uFFFD\n")
  },
  {
    name: "control characters and separators",
    file: "a.csv",
    bytes: `${header}"\u0001\u001f\u007f\u0085",1,"\u2028\r\n\\N\\."\n`
  },
  {
    name: "formulas and statements",
    file: "a.csv",
    bytes: `${header}=cmd(),1,'; DROP TABLE bronze; --\n"{""a"",NULL}",1,\\x41\n`
  },
  { name: "a million zeros", file: "a.csv", bytes: `${header}x,${"9".repeat(100_000)},${"0".repeat(900_000)}\n` },
  {
    name: "JSON with escapes that no text can hold",
    file: "a.ndjson",
    bytes: [
      '{"id":"a\\u0000","amount":1}',
      '{"id":"\\ud800","amount":1}',
      '{"id":"b","amount":1,"note":{"\\udc00":1}}',
      '{"id":"c","amount":1,"note":"\\\\u0000 \\u0001 \\ud83d\\ude00"}',
      "{\u{1F600}",
      `{"id":"d","amount":"${"\u{1F600}".repeat(200)}"}`
    ].join("\n")
  },
  {
    name: "JSON with names of JavaScript, repeated names, and numbers that no number holds",
    file: "a.ndjson",
    bytes: [
      '{"id":"a","amount":1,"__proto__":{"x":1},"constructor":null,"":0}',
      '{"id":"b","amount":1,"note":{"__proto__":[1],"a":1,"a":2}}',
      '{"id":"c","amount":1,"note":[1e400,-0,1e-400,123456789012345678901234567890,0.1]}',
      `{"id":"d","amount":1,"note":${"[".repeat(99)}${"]".repeat(99)}}`
    ].join("\n")
  },
  {
    name: "a wide header, repeated by each rejected record and each extra column",
    file: "a.csv",
    bytes: `id,amount,${Array.from({ length: 2000 }, (_, index) => String(index).padStart(100, "n")).join(",")}\n${Array.from(
      { length: 100 },
      (_, index) => `r${index},1${",".repeat(2000)}\nshort ${index}\n`
    ).join("")}`
  }
]

it.layer(TestDatabase.layer)("FileSource, hostile text on PostgreSQL", (it) => {
  feeds.forEach(({ bytes, file, name }, index) => {
    it.effect(`lands as in memory: ${name} (Verifies: L4)`, () =>
      Effect.gen(function* () {
        const folder = yield* Feed.folder
        yield* Feed.write(folder, file, bytes)
        const assay = yield* Bronze.openOn(`hostile${index}`, folder)
        const landed = yield* Bronze.land(assay)
        assert.isUndefined(landed.error)
        assert.isNotEmpty(landed.kept)
        assert.deepStrictEqual(landed, yield* Bronze.land(yield* Bronze.open(folder)))
        Bronze.assertAccounted(Buffer.from(bytes), file === "a.csv" ? "csv" : "ndjson", landed.kept)
        assert.deepStrictEqual(yield* Bronze.land(assay), landed)
        assert.deepStrictEqual((yield* assay.replay()).landed, 0)
      }).pipe(Effect.scoped)
    )
  })

  it.effect("refuses a file whose path no index can hold, and lands the others (Verifies: L4)", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const part = (seed: number, length: number) =>
        // Names that do not compress.
        Array.from({ length }, (_, index) =>
          String.fromCodePoint(0x4e00 + ((seed * 977 + index * 7919) % 20_000))
        ).join("")
      const deep = Array.from({ length: 8 }, (_, index) => part(index, 80)).join("/")
      yield* Feed.write(folder, `${deep}/${part(9, 22)}.csv`, `${header}x,1,\ny,,\n`)
      yield* Feed.write(folder, `${deep}/${part(9, 23)}.csv`, `${header}z,1,\n`)
      const landed = yield* Bronze.land(yield* Bronze.openOn("deep", `${folder}/**/*.csv`))
      assert.include(landed.error, "its path below the feed has 2001 bytes, more than the 2000 allowed")
      assert.deepStrictEqual(
        landed.kept.map(({ raw }) => raw),
        ["x,1,", "y,,"]
      )
    }).pipe(Effect.scoped)
  )
})
