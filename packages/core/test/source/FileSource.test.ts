import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Feed from "./Feed.ts"

/** A value as a database gives it back. */
const stored = (value: Schema.Json) =>
  Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))(JSON.stringify(value))

/** Lands one file that holds the content. */
const landing = Effect.fnUntraced(function* (
  name: string,
  content: string | Uint8Array,
  options?: Parameters<typeof Feed.source>[1]
) {
  const folder = yield* Feed.folder
  yield* Feed.write(folder, name, content)
  return yield* Feed.land(Feed.source(`${folder}/${name}`, options))
})

const row = (line: number, raw: string, fields: Pick<Feed.Row, "id" | "amount" | "note">): Feed.Row => ({
  file: "a.csv",
  line,
  hash: raw,
  extra: {},
  ...fields
})

describe("FileSource, CSV", () => {
  it.effect("finds columns by name, whatever their order", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", "note,amount,id\nhello,1.50,x\n")
      assert.deepStrictEqual(landed.rows, [row(2, "hello,1.50,x", { id: "x", amount: "1.50", note: "hello" })])
      assert.deepStrictEqual([landed.rejected, landed.warnings, landed.error], [[], [], undefined])
    })
  )

  it.effect("leaves a known column undefined where the header lacks it", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", "id,amount\nx,1\n")
      assert.deepStrictEqual(landed.rows, [row(2, "x,1", { id: "x", amount: "1", note: undefined })])
    })
  )

  it.effect("reads CRLF, a byte order mark, empty lines, and a last line without a break", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", '\uFEFF"id",amount,note\r\n\r\nx,1,\r\n\n\ny,2,"é"\r\nz,3,😀')
      assert.deepStrictEqual(landed.rows, [
        row(3, "x,1,", { id: "x", amount: "1", note: "" }),
        row(6, 'y,2,"é"', { id: "y", amount: "2", note: "é" }),
        row(7, "z,3,😀", { id: "z", amount: "3", note: "😀" })
      ])
    })
  )

  it.effect("keeps line breaks, commas and doubled quotes inside of quotes, and counts lines through them", () =>
    Effect.gen(function* () {
      const note = 'one,\r\ntwo "2"\n\nthree'
      const raw = `x,1,"one,\r\ntwo ""2""\n\nthree"`
      const landed = yield* landing("a.csv", `id,amount,note\n${raw}\ny,2,""\n`)
      assert.deepStrictEqual(landed.rows, [
        row(2, raw, { id: "x", amount: "1", note }),
        row(6, 'y,2,""', { id: "y", amount: "2", note: "" })
      ])
    })
  )

  it.effect("keeps unknown columns and reports them once per file", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const text = "id,region,amount,,__proto__\nx,eu,1,n,p\ny,us,2,,\n"
      yield* Feed.write(folder, "a.csv", text)
      const source = Feed.source(folder, { batchSize: 1 })
      const first = yield* Feed.land(source)
      assert.deepStrictEqual(first.warnings, [
        'a.csv has columns that are not known and are kept in "extra": "region", "column 4", "__proto__"'
      ])
      assert.deepStrictEqual(
        first.rows.map(({ extra }) => Object.entries(extra)),
        [
          [
            ["region", "eu"],
            ["column 4", "n"],
            ["__proto__", "p"]
          ],
          [
            ["region", "us"],
            ["column 4", ""],
            ["__proto__", ""]
          ]
        ]
      )
      yield* Feed.append(folder, "a.csv", "z,as,3,,\n")
      const second = yield* Feed.land(source, first)
      assert.deepStrictEqual(second.warnings, [])
      assert.deepStrictEqual(second.rows.at(-1)?.extra["region"], "as")
    })
  )

  it.effect("rejects a record with too few or too many fields, and lands the others", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", "id,amount,note\nx,1\ny,2,n,\nz,3,n\n")
      assert.deepStrictEqual(Feed.rejections(landed), [
        [2, "x,1", ["too few fields: 2, where the header has 3"]],
        [3, "y,2,n,", ["too many fields: 4, where the header has 3"]]
      ])
      assert.deepStrictEqual(Feed.lines(landed), [["z", 4]])
    })
  )

  it.effect("keeps every reason for which a record is not admitted", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", "id,amount,note\n,one,n\n")
      assert.deepStrictEqual(Feed.rejections(landed), [[2, ",one,n", ["id is missing", "amount is no number"]]])
    })
  )

  it.effect("loses one line to a quote that breaks the rules", () =>
    Effect.gen(function* () {
      const landed = yield* landing(
        "a.csv",
        ["id,amount,note", 'a,1,x"y', 'b,2,"x"y', 'c,3,"open', "d,4,n", 'e,5,"fine"', 'f,6,"open', "g,7,n", ""].join(
          "\n"
        )
      )
      assert.deepStrictEqual(Feed.lines(landed), [
        ["d", 5],
        ["e", 6],
        ["g", 8]
      ])
      assert.deepStrictEqual(
        landed.rejected.map(({ line, raw }) => [line, raw]),
        [
          [2, 'a,1,x"y'],
          [3, 'b,2,"x"y'],
          [4, 'c,3,"open'],
          [7, 'f,6,"open']
        ]
      )
      assert.deepStrictEqual(
        landed.rejected.map(({ reasons }) => reasons.join()),
        [
          "a quote stands inside a field that does not begin with one: quote the whole field and double the quotes in it",
          "a closing quote is followed by text: double the quotes inside of a quoted field",
          "a quote is opened and not closed: text follows the next quote, on line 6",
          "a quote is opened and not closed within the file"
        ]
      )
    })
  )

  it.effect("rejects NUL bytes and invalid UTF-8 alone, with text that can be stored", () =>
    Effect.gen(function* () {
      const content = Buffer.concat([
        Buffer.from("id,amount,note\nx,1,é\n"),
        Buffer.from("y,2,caf\xe9\n", "latin1"),
        Buffer.from("z,3,a\0b\nw,4,\uFFFD\n")
      ])
      const landed = yield* landing("a.csv", content)
      assert.deepStrictEqual(Feed.lines(landed), [
        ["x", 2],
        ["w", 5]
      ])
      assert.deepStrictEqual(Feed.rejections(landed), [
        [3, "y,2,caf\uFFFD", ["is not valid UTF-8: save the file as UTF-8, then land it again"]],
        [4, "z,3,a␀b", ["contains a NUL byte (at byte 6 of the record), which text must not hold"]]
      ])
    })
  )

  it.effect("rejects records beyond the limit with their beginning, and lands the rest", () =>
    Effect.gen(function* () {
      const long = "x".repeat(300_000)
      const content = `id,amount,note\na,1,${long}\nb,2,n\nc,3,"${long}"\nd,4,"one\n${long}"\ne,5,n\nf,6,${long}`
      const landed = yield* landing("a.csv", content, { maxRecordBytes: 200_000 })
      assert.deepStrictEqual(Feed.lines(landed), [
        ["b", 3],
        ["e", 7]
      ])
      assert.deepStrictEqual(
        landed.rejected.map(({ line, raw, reasons }) => [line, raw.length, reasons]),
        [
          [2, 65_536, ["the line has 300004 bytes, more than the 200000 allowed: only its beginning is kept"]],
          [4, 65_536, ["the line has 300006 bytes, more than the 200000 allowed: only its beginning is kept"]],
          [5, 8, ["a quote is opened and not closed within 200000 bytes"]],
          [6, 65_536, ["the line has 300001 bytes, more than the 200000 allowed: only its beginning is kept"]],
          [8, 65_536, ["the line has 300004 bytes, more than the 200000 allowed: only its beginning is kept"]]
        ]
      )
    })
  )

  it.effect("passes over a compressed line of 16 MB in bounded memory", () =>
    Effect.gen(function* () {
      const content = Buffer.concat([
        Buffer.from("id,amount,note\nx,1,n\n"),
        Buffer.alloc(16 * 1024 * 1024, "a"),
        Buffer.from("\ny,2,n\n")
      ])
      const landed = yield* landing("a.csv.gz", Feed.gzip(content))
      assert.deepStrictEqual(Feed.lines(landed), [
        ["x", 2],
        ["y", 4]
      ])
      assert.deepStrictEqual(
        landed.rejected.map(({ line, raw }) => [line, raw.length]),
        [[3, 65_536]]
      )
    })
  )

  it.effect("bounds batches by all that they carry, also where each record repeats the names of a wide header", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 2000 }, (_, index) => String(index).padStart(200, "n"))
      const rows = Array.from({ length: 200 }, (_, index) => `r${index},1${",".repeat(2000)}\nshort\n`).join("")
      const landed = yield* landing("a.csv", `id,amount,${names.join(",")}\n${rows}`)
      assert.deepStrictEqual([landed.rows.length, landed.rejected.length], [200, 200])
      // 16 MiB hold the names 41 times.
      assert.isAtMost(Math.max(...landed.batches), 42)
    })
  )

  it.effect("bounds batches by the number of their records", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", "id,amount\na,1\nb,2\nc,\nd,4\ne,5\n", { batchSize: 2 })
      assert.deepStrictEqual(landed.batches, [2, 2, 1])
      assert.deepStrictEqual(Feed.ids(landed), ["a", "b", "d", "e"])
    })
  )
})

describe("FileSource, headers", () => {
  const refused = (content: string | Uint8Array, options?: Parameters<typeof Feed.source>[1]) =>
    Effect.map(landing("a.csv", content, options), ({ error, positions, rejected, rows }) => {
      assert.deepStrictEqual([rows.length, rejected.length, positions.size], [0, 0, 0])
      assert.deepStrictEqual([error?.origin, error?.kind], ["a.csv", "SchemaMismatch"])
      return error?.message
    })
  const told = (what: string) =>
    `a.csv cannot be landed: ${what}. Nothing was landed now; correct the file, then land it again.`

  it.effect("names the file and the columns that its header lacks", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* refused("ID,note\nx,1\n"),
        told('it lacks the required columns "id", "amount"; its header has "ID", "note"')
      )
    })
  )

  it.effect("says so when fields are separated by something else than commas", () =>
    Effect.gen(function* () {
      assert.include(yield* refused("id;amount\nx;1\n"), "Fields must be separated by commas")
    })
  )

  it.effect("refuses a file without any header", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refused(""), told('it is empty: expected a header with "id", "amount"'))
    })
  )

  it.effect("refuses a header that names a column twice", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refused("id,amount,id\n"), told('its header names columns more than once: "id"'))
    })
  )

  it.effect("refuses a header with too many columns, or one that is too long to be read", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 10_001 }, (_, index) => `c${index}`).join(",")
      assert.strictEqual(
        yield* refused(`${names}\n`),
        told("its header has 10001 columns, more than the 10000 allowed")
      )
      assert.include(yield* refused(`id,amount,${"x".repeat(2_000_000)}\n`), "more than the 1048576 allowed")
    })
  )

  it.effect("refuses a header that is not UTF-8", () =>
    Effect.gen(function* () {
      assert.include(yield* refused(Buffer.from("id,amount,caf\xe9\nx,1,\n", "latin1")), "cannot be read")
    })
  )
})

describe("FileSource, NDJSON", () => {
  it.effect("reads the same fields as from CSV, numbers as their text", () =>
    Effect.gen(function* () {
      const lines = [
        '{"id":"x","amount":12.50,"note":null}',
        '{"note":{"n":1.5,"big":12345678901234567890.12},"amount":"-3","id":4}',
        '{"id":"z","amount":12345678901234567890.1200}'
      ]
      const landed = yield* landing("a.ndjson", `\uFEFF${lines.join("\r\n\r\n")}`)
      assert.deepStrictEqual(
        landed.rows.map(({ amount, id, line, note }) => [line, id, amount, note]),
        [
          [1, "x", "12.50", null],
          [3, "4", "-3", { n: 1.5, big: "12345678901234567890.12" }],
          [5, "z", "12345678901234567890.1200", undefined]
        ]
      )
      assert.deepStrictEqual(
        landed.rows.map(({ hash }) => hash),
        lines
      )
    })
  )

  it.effect("keeps unknown fields and reports each once per file", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.jsonl", '{"id":"x","amount":1,"a":[1]}\n{"id":"y","amount":2,"b":{"c":0.1},"a":2}\n')
      const source = Feed.source(folder, { batchSize: 1 })
      const first = yield* Feed.land(source)
      assert.deepStrictEqual(
        first.rows.map(({ extra }) => extra),
        [{ a: [1] }, { b: { c: 0.1 }, a: 2 }]
      )
      assert.deepStrictEqual(first.warnings, [
        'a.jsonl has columns that are not known and are kept in "extra": "a", "b"'
      ])
      yield* Feed.append(folder, "a.jsonl", '{"id":"z","amount":3,"a":1,"c":2}\n')
      const second = yield* Feed.land(source, first)
      assert.deepStrictEqual(second.warnings, ['a.jsonl has columns that are not known and are kept in "extra": "c"'])
    })
  )

  it.effect("rejects what is no object, or could not be stored, line by line", () =>
    Effect.gen(function* () {
      const deep = `{"note":${"[".repeat(200)}${"]".repeat(200)}}`
      const bomb = `{"note":${"[".repeat(200_000)}${"]".repeat(200_000)}}`
      const bad = ["{", "[1]", "null", '{"id":"a\\u0000"}', '{"note":["\\ud800"]}', deep, bomb, '{"a":1} {"b":2}']
      const landed = yield* landing("a.ndjson", `${bad.join("\n")}\n{"id":"x","amount":1}\n`)
      assert.deepStrictEqual(Feed.lines(landed), [["x", 9]])
      assert.deepStrictEqual(
        landed.rejected.map(({ line, reasons }) => [line, reasons.join().replace(/(not valid JSON).*/, "$1")]),
        [
          [1, "not valid JSON"],
          [2, "not a JSON object but a list: expected one object per line"],
          [3, "not a JSON object but null: expected one object per line"],
          [4, "contains the character U+0000 (\\u0000), which a database cannot store"],
          [5, "contains half of a surrogate pair, which is no character"],
          [6, "nested more than 100 levels deep"],
          [7, "nested more than 100 levels deep"],
          [8, "not valid JSON"]
        ]
      )
    })
  )

  it.effect("does not take quotes for more than JSON does", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.ndjson", '{"id":"x\n{"id":"y","amount":"1"}\n')
      assert.deepStrictEqual(Feed.lines(landed), [["y", 2]])
      assert.deepStrictEqual(
        landed.rejected.map(({ raw }) => raw),
        ['{"id":"x']
      )
    })
  )
})

describe("FileSource, replay", () => {
  it.effect("reads rejected records again without their files, by the rules of today", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const content = Buffer.concat([
        Buffer.from('note,amount,id,more\r\n"a\r\n""b""",€5,x,m\r\nn,6,y\r\n'),
        Buffer.from("caf\xe9,7,z,\n", "latin1")
      ])
      yield* Feed.write(folder, "a.csv.gz", Feed.gzip(content))
      yield* Feed.write(folder, "b.ndjson", '{"id":"j","amount":"€8","more":1}\n{"id":}\n')
      const landed = yield* Feed.land(Feed.source(folder))
      assert.strictEqual(landed.rejected.length, 5)

      const lenient = Feed.source("/nowhere", {
        admit: (record) => Feed.admit({ ...record, fields: { ...record.fields, amount: "0" } })
      })
      const again = yield* lenient.replay(
        landed.rejected.map((rejected) => ({ ...rejected, context: stored(rejected.context) }))
      )
      assert.deepStrictEqual(again, [
        {
          row: {
            file: "a.csv.gz",
            line: 2,
            hash: '"a\r\n""b""",€5,x,m',
            id: "x",
            amount: "0",
            note: 'a\r\n"b"',
            extra: { more: "m" }
          }
        },
        { reasons: ["too few fields: 3, where the header has 4"] },
        { reasons: ["is not valid UTF-8: save the file as UTF-8, then land it again"] },
        {
          row: {
            file: "b.ndjson",
            line: 1,
            hash: '{"id":"j","amount":"€8","more":1}',
            id: "j",
            amount: "0",
            note: undefined,
            extra: { more: 1 }
          }
        },
        { reasons: landed.rejected[4]?.reasons ?? [] }
      ])
    })
  )

  it.effect("reads a record that was corrected in quarantine", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", Buffer.from('id,amount,note\nx,1,caf\xe9\ny,2,"n\nz,3\n', "latin1"))
      const corrected = ["x,1,café", 'y,2,"n"', "z,3,a\nb,4,c"]
      const again = yield* Feed.source("/nowhere").replay(
        landed.rejected.map((rejected, index) => ({ ...rejected, raw: corrected[index] ?? "" }))
      )
      assert.deepStrictEqual(again, [
        { row: row(2, "x,1,café", { id: "x", amount: "1", note: "café" }) },
        { row: row(3, 'y,2,"n"', { id: "y", amount: "2", note: "n" }) },
        { reasons: ["more than one record: a line break stands outside of quotes"] }
      ])
    })
  )

  it.effect("says why a record cannot be read again", () =>
    Effect.gen(function* () {
      const landed = yield* landing("a.csv", `id,amount\nx,${"1".repeat(2_000_000)}\n`)
      const [rejected] = landed.rejected
      assert.isDefined(rejected)
      const foreign = { ...rejected, context: { page: 3 } }
      assert.deepStrictEqual(yield* Feed.source("/nowhere").replay([rejected, foreign]), [
        {
          reasons: [
            "cannot be read again: only the beginning of its 2000002 bytes was kept; raise maxRecordBytes and land the " +
              "record in a file of its own"
          ]
        },
        { reasons: ["cannot be read again: what was kept beside the record does not come from a file"] }
      ])
    })
  )
})
