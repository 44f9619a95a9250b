/** What becomes of files that are not what they should be: the bytes of one file in, and where each record ends up. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs/promises"
import { gzipSync } from "node:zlib"
import * as Bronze from "./Bronze.ts"
import * as Feed from "./Feed.ts"

/** A line that lands, or one that is rejected with the beginning of its reason. */
type Outcome = readonly [line: number, reason?: string]

interface Case {
  readonly name: string
  readonly file?: string
  readonly bytes: string | Buffer
  readonly outcomes: ReadonlyArray<Outcome>
}

interface Refusal {
  readonly name: string
  readonly file?: string
  readonly bytes: string | Buffer
  /** What the error says behind the file. */
  readonly error: string
}

const header = "id,amount,note\n"
const csv = (...lines: ReadonlyArray<string>) => header + lines.map((line) => `${line}\n`).join("")
const ndjson = (...lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")
const bytes = (...parts: ReadonlyArray<string | ReadonlyArray<number>>) =>
  Buffer.concat(parts.map((part) => Buffer.from(part)))
const nested = (levels: number, open: string, close: string) => open.repeat(levels) + close.repeat(levels)

const landed: ReadonlyArray<Case> = [
  { name: "a header alone", bytes: header, outcomes: [] },
  { name: "a header without a line break", bytes: "id,amount,note", outcomes: [] },
  { name: "no lines of NDJSON", file: "a.ndjson", bytes: "", outcomes: [] },
  { name: "nothing but line breaks in NDJSON", file: "a.ndjson", bytes: "\n\r\n\n\r", outcomes: [] },
  { name: "nothing but a byte order mark in NDJSON", file: "a.ndjson", bytes: "\uFEFF", outcomes: [] },
  { name: "a byte order mark", bytes: `\uFEFF${csv("x,1,")}`, outcomes: [[2]] },
  { name: "a byte order mark before a quote", bytes: '\uFEFF"id",amount,note\nx,1,\n', outcomes: [[2]] },
  {
    name: "a byte order mark in the middle, where files were joined",
    bytes: `${csv("x,1,")}\uFEFF${csv("y,2,")}`,
    outcomes: [[2], [3, "amount is no number"], [4]]
  },
  {
    name: "a header that is repeated",
    bytes: csv("x,1,", "id,amount,note", "y,2,"),
    outcomes: [[2], [3, "amount is no number"], [4]]
  },
  {
    name: "LF, CRLF and blank lines, mixed",
    bytes: "id,amount,note\r\nx,1,\n\r\n\ny,2,\r\n\n\n\rz,3,\r\n",
    outcomes: [[2], [5], [8]]
  },
  { name: "a CR alone, which ends no line", bytes: csv("x,1,a\rb", "y,2,\r\r", "z,3,c"), outcomes: [[2], [3], [4]] },
  {
    name: "lines that end in CR alone, after the first",
    bytes: "id,amount,note\nx,1,a\ry,2,b\rz,3,c\r",
    outcomes: [[2, "too many fields: 7, where the header has 3"]]
  },
  {
    name: "every kind of line break inside of quotes",
    bytes: csv('x,1,"a\nb\r\nc\rd\n\n"', "y,2,"),
    outcomes: [[2], [7]]
  },
  {
    name: "a quote that is never closed",
    bytes: csv("x,1,", 'y,2,"open', "z,3,", "w,4,"),
    outcomes: [[2], [3, "a quote is opened and not closed within the file"], [4], [5]]
  },
  {
    name: "a quote that is never closed, on the last line without a break",
    bytes: `${csv("x,1,")}y,2,"`,
    outcomes: [[2], [3, "a quote is opened and not closed within the file"]]
  },
  {
    name: "quotes that close too late, too early and in the middle",
    bytes: csv('x,1,"a', 'y,2,"b', 'z,3,c"d', 'w,4,"e" ', 'v,5, "f"', 'u,6,"g"""'),
    outcomes: [
      [2, "a quote is opened and not closed: text follows the next quote, on line 3"],
      [3, "a quote is opened and not closed: text follows the next quote, on line 4"],
      [4, "a quote stands inside a field"],
      [5, "a closing quote is followed by text"],
      [6, "a quote stands inside a field"],
      [7]
    ]
  },
  {
    name: "nothing but quotes",
    bytes: csv('"""', '""""', '""'),
    outcomes: [
      [2, "a quote"],
      [3, "too few"],
      [4, "too few"]
    ]
  },
  {
    name: "cells that are missing or too many",
    bytes: csv("x", "x,1", "x,1,", "x,1,,", ",,", ",,,"),
    outcomes: [
      [2, "too few fields: 1"],
      [3, "too few fields: 2"],
      [4],
      [5, "too many fields: 4"],
      [6, "id is missing"],
      [7, "too many fields: 4"]
    ]
  },
  {
    name: "bytes that are no UTF-8: Latin-1, cut and overlong sequences, a surrogate, beyond Unicode",
    bytes: bytes(
      header,
      "a,1,caf",
      [0xe9],
      "\nb,2,",
      [0xf0, 0x9f, 0x98],
      "\nc,3,",
      [0xc0, 0xaf],
      "\nd,4,",
      [0xed, 0xa0, 0x80],
      "\ne,5,",
      [0xf4, 0x90, 0x80, 0x80],
      "\nf,6,\u{1F600}\u{10FFFF}\n"
    ),
    outcomes: [
      [2, "is not valid UTF-8"],
      [3, "is not valid UTF-8"],
      [4, "is not valid UTF-8"],
      [5, "is not valid UTF-8"],
      [6, "is not valid UTF-8"],
      [7]
    ]
  },
  {
    name: "half a character on each side of a line break",
    bytes: bytes(header, "a,1,", [0xc3], "\n", [0xa9], "b,2,\nc,3,\n"),
    outcomes: [[2, "is not valid UTF-8"], [3, "is not valid UTF-8"], [4]]
  },
  {
    name: "NUL bytes, alone and between digits",
    bytes: csv("a\0,1,", "b,1\x002,", "\0", "c,3,"),
    outcomes: [
      [2, "contains a NUL byte (at byte 2"],
      [3, "contains a NUL byte (at byte 4"],
      [4, "contains a NUL byte"],
      [5]
    ]
  },
  { name: "control characters, which are text", bytes: csv("a\u0001,1,\u001b[31m\u007f\u0085\u2028"), outcomes: [[2]] },
  {
    name: "formulas, which are text",
    bytes: csv("=cmd(),1,@SUM(1)", "=1+1,2,=cmd|' /C calc'!A0", "+x,3,-y", '"=HYPERLINK(""http://x"")",4,'),
    outcomes: [[2], [3], [4], [5]]
  },
  {
    name: "numbers of every kind, of which only decimals are amounts",
    bytes: csv(
      ...["1e400", "NaN", "Infinity", "-Infinity", "0x1F", "1_000", "１２", "1,5", "٣", "", "-0", "9".repeat(400)].map(
        (amount) => `x,${amount.includes(",") ? `"${amount}"` : amount},`
      )
    ),
    outcomes: [...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((line): Outcome => [line, "amount is no number"]), [12], [13]]
  },
  {
    name: "JSON numbers of every kind",
    file: "a.ndjson",
    bytes: ndjson(
      `{"id":"a","amount":${"9".repeat(400)}}`,
      '{"id":"b","amount":-0}',
      '{"id":"c","amount":1e400}',
      '{"id":"d","amount":NaN}',
      '{"id":"e","amount":0x1F}',
      '{"id":"f","amount":01}',
      '{"id":"g","amount":1_000}',
      '{"id":"h","amount":+1}',
      '{"id":"i","amount":1,"deep":[1e400,-1e-400,123456789012345678901234567890]}'
    ),
    outcomes: [
      [1],
      [2],
      [3, "amount is no number"],
      ...[4, 5, 6, 7, 8].map((line): Outcome => [line, "not valid JSON"]),
      [9]
    ]
  },
  {
    name: "JSON of any depth",
    file: "a.ndjson",
    bytes: ndjson(
      `{"id":"a","amount":1,"note":${nested(99, "[", "]")}}`,
      `{"id":"b","amount":1,"note":${nested(100, "[", "]")}}`,
      `{"id":"c","amount":1,"note":${nested(100_000, "[", "]")}}`,
      `{"id":"d","amount":1,"note":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`,
      "[".repeat(100_000),
      `{"id":"e","amount":1}`
    ),
    outcomes: [
      [1],
      [2, "nested more than 100"],
      [3, "nested more than 100"],
      [4, "nested more than 100"],
      [5, "not valid JSON"],
      [6]
    ]
  },
  {
    name: "JSON whose fields are repeated, of which the last counts, or named like those of every object",
    file: "a.ndjson",
    bytes: ndjson(
      '{"id":"a","id":"b","amount":"x","amount":1}',
      '{"id":"a","amount":1,"amount":"x"}',
      '{"__proto__":{"id":"a","amount":1}}',
      '{"id":"a","amount":1,"__proto__":{"polluted":true},"constructor":null,"toString":1}'
    ),
    outcomes: [[1], [2, "amount is no number"], [3, "id is missing"], [4]]
  },
  {
    name: "JSON texts that no database can store",
    file: "a.ndjson",
    bytes: ndjson(
      '{"id":"a\\u0000","amount":1}',
      '{"id":"\\ud800","amount":1}',
      '{"id":"\\udc00\\ud800","amount":1}',
      '{"id":"a","amount":1,"\\u0000":1}',
      '{"id":"a","amount":1,"note":[["\\udfff"]]}',
      '{"id":"\\ud83d\\ude00","amount":1}',
      '{"id":"\\\\u0000","amount":1}'
    ),
    outcomes: [
      [1, "contains the character U+0000"],
      [2, "contains half of a surrogate pair"],
      [3, "contains half of a surrogate pair"],
      [4, "contains the character U+0000"],
      [5, "contains half of a surrogate pair"],
      [6],
      [7]
    ]
  },
  {
    name: "lines that are no JSON object, or more than one",
    file: "a.ndjson",
    bytes: ndjson(
      "1",
      "null",
      '"a"',
      "[]",
      "{}",
      '{"id":"a","amount":1}{"id":"b","amount":2}',
      "{'id':1}",
      " ",
      "\u{1F600}",
      "{\u{1F600}"
    ),
    outcomes: [
      [1, "not a JSON object but a number"],
      [2, "not a JSON object but null"],
      [3, "not a JSON object but a string"],
      [4, "not a JSON object but a list"],
      [5, "id is missing"],
      ...[6, 7, 8, 9, 10].map((line): Outcome => [line, "not valid JSON"])
    ]
  },
  {
    name: "an object that goes over several lines",
    file: "a.ndjson",
    bytes: '{\n"id":"a",\n"amount":1}\n{"id":"b","amount":1}\n',
    outcomes: [[1, "not valid JSON"], [2, "not valid JSON"], [3, "not valid JSON"], [4]]
  },
  {
    name: "gzip members that follow each other",
    file: "a.csv.gz",
    bytes: Buffer.concat([gzipSync(`${header}x,`), gzipSync("1,\n"), gzipSync("")]),
    outcomes: [[2]]
  },
  {
    name: "ten thousand empty gzip members",
    file: "a.csv.gz",
    bytes: Buffer.concat([
      gzipSync(csv("x,1,")),
      ...Array.from({ length: 10_000 }, () => gzipSync("")),
      gzipSync("y,2,\n")
    ]),
    outcomes: [[2], [3]]
  },
  { name: "gzip that is not named so", file: "a.csv", bytes: gzipSync(csv("x,1,")), outcomes: [[2]] },
  {
    name: "gzip with zeros behind its end",
    file: "a.csv.gz",
    bytes: Buffer.concat([gzipSync(csv("x,1,")), Buffer.alloc(1000)]),
    outcomes: [[2]]
  }
]

const refused: ReadonlyArray<Refusal> = [
  { name: "an empty file", bytes: "", error: 'it is empty: expected a header with "id", "amount"' },
  { name: "nothing but line breaks", bytes: "\n\r\n\n", error: 'it is empty: expected a header with "id", "amount"' },
  {
    name: "nothing but a byte order mark",
    bytes: "\uFEFF",
    error: 'it is empty: expected a header with "id", "amount"'
  },
  {
    name: "no header",
    bytes: "x,1,\ny,2,\n",
    error: 'it lacks the required columns "id", "amount"; its header has "x", "1", "column 3"'
  },
  {
    name: "a name that is repeated in the header",
    bytes: "id,amount,id,note,note\nx,1,y,,\n",
    error: 'its header names columns more than once: "id", "note"'
  },
  {
    name: "a header with a quote that is never closed",
    bytes: 'id,"amount\nx,1\n',
    error: "its header (line 1) cannot be read: a quote is opened and not closed"
  },
  {
    name: "a header that is no UTF-8",
    bytes: bytes("id,amount,caf", [0xe9], "\nx,1,\n"),
    error: "its header (line 1) cannot be read: is not valid UTF-8"
  },
  {
    name: "lines that end in CR alone",
    bytes: "id,amount,note\rx,1,a\ry,2,b\r",
    error: "its lines end in CR alone: end them with LF or CRLF"
  },
  {
    name: "UTF-16 of either order, with a mark",
    bytes: Buffer.from(`\uFEFF${csv("x,1,")}`, "utf16le"),
    error: "it is UTF-16: save it as UTF-8"
  },
  {
    name: "UTF-16 of the other order",
    bytes: Buffer.from(`\uFEFF${csv("x,1,")}`, "utf16le").swap16(),
    error: "it is UTF-16: save it as UTF-8"
  },
  {
    name: "UTF-16 without a mark",
    bytes: Buffer.from(csv("x,1,"), "utf16le"),
    error: "its header (line 1) cannot be read: contains a NUL byte"
  },
  {
    name: "UTF-16 that is compressed",
    file: "a.csv.gz",
    bytes: gzipSync(Buffer.from(`\uFEFF${csv("x,1,")}`, "utf16le")),
    error: "it is UTF-16: save it as UTF-8"
  },
  {
    name: "UTF-16 of NDJSON",
    file: "a.ndjson",
    bytes: Buffer.from('\uFEFF{"id":"a","amount":1}\n', "utf16le"),
    error: "it is UTF-16: save it as UTF-8"
  },
  {
    name: "truncated gzip",
    file: "a.csv.gz",
    bytes: gzipSync(csv("x,1,")).subarray(0, -9),
    error: "is gzip that ends in its middle"
  },
  {
    name: "the first bytes of gzip",
    file: "a.csv.gz",
    bytes: bytes([0x1f, 0x8b]),
    error: "is gzip that ends in its middle"
  },
  { name: "one byte of gzip", file: "a.csv.gz", bytes: bytes([0x1f]), error: "is named .gz but is not gzip" },
  {
    name: "text behind the end of gzip",
    file: "a.csv.gz",
    bytes: Buffer.concat([gzipSync(csv("x,1,")), Buffer.from("y,2,\n")]),
    error: "is damaged gzip"
  },
  {
    name: "another member behind zeros",
    file: "a.csv.gz",
    bytes: Buffer.concat([gzipSync(csv("x,1,")), Buffer.alloc(9), gzipSync("y,2,\n")]),
    error: "has other data behind the end of its gzip data"
  },
  {
    name: "a wrong checksum",
    file: "a.csv.gz",
    bytes: Buffer.concat([gzipSync(csv("x,1,")).subarray(0, -8), Buffer.alloc(8)]),
    error: "is damaged gzip (incorrect data check)"
  },
  { name: "no gzip under its name", file: "a.csv.gz", bytes: csv("x,1,"), error: "is named .gz but is not gzip" },
  {
    name: "zip under the name of gzip",
    file: "a.csv.gz",
    bytes: bytes("PK", [3, 4], "..."),
    error: "is named .gz but is not gzip"
  }
]

describe("FileSource, hostile files", () => {
  it.effect.each(landed)(
    "lands or rejects each record once: $name (Verifies: L4)",
    ({ bytes, file = "a.csv", outcomes }) =>
      Effect.gen(function* () {
        const folder = yield* Feed.folder
        yield* Feed.write(folder, file, bytes)
        const assay = yield* Bronze.open(folder)
        const { error, kept } = yield* Bronze.land(assay)
        assert.isUndefined(error)
        assert.deepStrictEqual(
          kept.map(({ line, reasons }, index): Outcome => {
            const expected = outcomes[index]?.[1]
            const said = reasons?.join("; ")
            return said === undefined
              ? [line]
              : [line, expected !== undefined && said.startsWith(expected) ? expected : said]
          }),
          outcomes
        )
        if (!file.endsWith(".gz") && outcomes.length > 0 && typeof bytes === "string") {
          Bronze.assertAccounted(Buffer.from(bytes), file.endsWith(".csv") ? "csv" : "ndjson", kept)
        }
        assert.deepStrictEqual(yield* Bronze.land(assay), { error, kept })
      }).pipe(Effect.scoped)
  )

  it.effect.each(refused)("lands nothing and says why: $name (Verifies: L4)", ({ bytes, error, file = "a.csv" }) =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, file, bytes)
      yield* Feed.write(folder, "z.csv", csv("sound,1,"))
      const assay = yield* Bronze.open(folder)
      const landed = yield* Bronze.land(assay)
      assert.deepStrictEqual(
        landed.kept.filter((kept) => kept.file === file),
        []
      )
      assert.include(landed.error, `${file} `)
      assert.include(landed.error, error)
      assert.match(landed.error ?? "", /[Ll]and it again|Compress it|[Cc]orrect the file/)
      yield* Feed.write(
        folder,
        file,
        file.endsWith(".gz") ? gzipSync(csv("x,1,")) : file === "a.csv" ? csv("x,1,") : '{"id":"x","amount":1}'
      )
      const mended = yield* Bronze.land(assay)
      assert.deepStrictEqual(
        [mended.error, mended.kept.map(({ reasons }) => reasons)],
        [undefined, [undefined, undefined]]
      )
      yield* Effect.promise(() => Fs.rm(folder, { recursive: true }))
    }).pipe(Effect.scoped)
  )
})
