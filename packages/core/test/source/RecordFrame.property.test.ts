import * as RecordFrame from "@assay/core/source/RecordFrame"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "csv-parse/sync"
import * as fc from "fast-check"

interface Record {
  readonly text: string
  readonly line: number
  readonly end: number
  readonly horizon: number
  readonly problem: string | undefined
  readonly length: number | undefined
}

/** The frames of bytes that arrive cut at the given places. */
const framed = (
  text: string,
  cuts: ReadonlyArray<number>,
  maxBytes: number,
  isQuoted: boolean
): ReadonlyArray<Record> => {
  const bytes = Buffer.from(text)
  const framer = RecordFrame.framer({ isQuoted, maxBytes, offset: 0, line: 1 })
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const steps = places.slice(1).map((place, index) => framer.push(bytes.subarray(places[index], place)))
  return [...steps, framer.end()].flatMap(({ base, bytes, frames }) =>
    frames.map((frame) => ({
      text: (frame.cut?.head ?? bytes.subarray(frame.start, frame.end)).toString(),
      line: frame.line,
      end: base + frame.next,
      horizon: frame.horizon,
      problem: frame.problem,
      length: frame.cut?.length
    }))
  )
}

const alphabet = fc.constantFrom("a", ",", '"', '""', "\n", "\r\n", "\r", "é", 'x,"', '"\n', "\uFEFF", "bcdefg")
const text = fc.array(alphabet, { maxLength: 60 }).map((parts) => parts.join(""))
const cuts = fc.array(fc.nat(), { maxLength: 12 })

describe("RecordFrame", () => {
  it("frames the same records, however the bytes are cut", () => {
    fc.assert(
      fc.property(text, cuts, fc.integer({ min: 1, max: 40 }), fc.boolean(), (text, cuts, maxBytes, isQuoted) => {
        assert.deepStrictEqual(framed(text, cuts, maxBytes, isQuoted), framed(text, [], maxBytes, isQuoted))
      }),
      { numRuns: 2000 }
    )
  })

  it("leaves nothing out but line breaks, and tells the line of each record", () => {
    fc.assert(
      fc.property(text, cuts, fc.boolean(), (text, cuts, isQuoted) => {
        const lines = text.replace(/^\uFEFF/, "").split("\n")
        const records = framed(text, cuts, 1_000_000, isQuoted)
        assert.strictEqual(
          records
            .map(({ text }) => text)
            .join("")
            .replaceAll(/[\r\n]/g, ""),
          lines.join("").replaceAll("\r", "")
        )
        for (const record of records)
          assert.isTrue(lines[record.line - 1]?.startsWith(record.text.split("\n")[0] ?? ""))
      }),
      { numRuns: 2000 }
    )
  })

  it("goes on from any record as if it had framed the ones before", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (text, maxBytes) => {
        const bytes = Buffer.from(text)
        const whole = framed(text, [], maxBytes, true)
        for (const [index, record] of whole.entries()) {
          if (record.horizon > record.end || bytes[record.end - 1] !== 0x0a) continue
          const line = bytes.subarray(0, record.end).toString().split("\n").length
          const framer = RecordFrame.framer({ isQuoted: true, maxBytes, offset: record.end, line })
          const steps = [framer.push(bytes.subarray(record.end)), framer.end()]
          const rest = steps.flatMap(({ base, frames }) =>
            frames.map((frame) => [frame.line, base + frame.next, frame.problem])
          )
          assert.deepStrictEqual(
            rest,
            whole.slice(index + 1).map(({ end, line, problem }) => [line, end, problem])
          )
        }
      }),
      { numRuns: 1000 }
    )
  })

  it("agrees with csv-parse on every well-formed text", () => {
    const cell = fc
      .array(fc.constantFrom("a", ",", '"', "\n", "\r\n", " ", "é"), { maxLength: 6 })
      .map((c) => c.join(""))
    const written = (cell: string) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 10 })
    fc.assert(
      fc.property(table, cuts, fc.constantFrom("\n", "\r\n"), fc.boolean(), (table, cuts, newline, isEnded) => {
        const text = table.map((row) => row.map(written).join(",")).join(newline) + (isEnded ? newline : "")
        const records = framed(text, cuts, 1_000_000, true)
        assert.deepStrictEqual(
          records.map(({ problem }) => problem),
          table.map(() => undefined)
        )
        const parsed = records.flatMap(({ text }) => parse(text, { relax_column_count: true }))
        assert.deepStrictEqual(parsed, table)
      }),
      { numRuns: 1000 }
    )
  })
})
