/**
 * Files that would exhaust memory or patience. Each is landed by a process of its own with a heap of 256 MB, which says
 * how much memory it took in all.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createWriteStream } from "node:fs"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { text } from "node:stream/consumers"
import { gzipSync } from "node:zlib"
import * as Feed from "./Feed.ts"

const Report = Schema.fromJsonString(
  Schema.Struct({
    error: Schema.NullOr(Schema.String),
    records: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int, Schema.NullOr(Schema.String)])),
    peakMegabytes: Schema.Int
  })
)

/** More than the heap of 256 MB and what Node and the engine take for themselves. */
const allowedMegabytes = 512

const landed = Effect.fnUntraced(function* (path: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--max-old-space-size=256", Path.join(import.meta.dirname, "intake.ts"), path], {
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const [out, errors] = yield* Effect.promise(() =>
    Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  )
  assert.deepStrictEqual([child.exitCode, child.signalCode, errors], [0, null, ""])
  const report = yield* Schema.decodeUnknownEffect(Report)(out)
  assert.isBelow(report.peakMegabytes, allowedMegabytes)
  return report
})

const MiB = 1024 * 1024
const header = Buffer.from("id,amount,note\n")
const repeated = (part: Buffer, times: number) => Array.from({ length: times }, () => part)

interface Case {
  readonly name: string
  readonly file: string
  readonly parts: () => Iterable<Buffer>
  /** Lines, and how their reasons begin. */
  readonly records: ReadonlyArray<readonly [line: number, reason: string | null]>
  readonly error?: string
}

const x = Buffer.from("x,1,\n")
const zeros = gzipSync(Buffer.alloc(64 * MiB))
const breaks = gzipSync(Buffer.alloc(64 * MiB, "\n"))
const tooLong = (bytes: number) =>
  `the line has ${bytes} bytes, more than the 1048576 allowed: only its beginning is kept`

const cases: ReadonlyArray<Case> = [
  {
    name: "a field of 100 MB",
    file: "a.csv",
    parts: () => [header, x, Buffer.from("y,2,"), ...repeated(Buffer.alloc(MiB, "n"), 100), Buffer.from("\n"), x],
    records: [
      [2, null],
      [3, tooLong(100 * MiB + 4)],
      [4, null]
    ]
  },
  {
    name: "a quoted field of 100 MB of short lines",
    file: "a.csv",
    // Of a quote that closes too late, each line is a record of its own.
    parts: () => [header, Buffer.from('y,2,"'), ...repeated(Buffer.alloc(MiB, "\n"), 100), Buffer.from('"\n'), x],
    records: [
      [2, "a quote is opened and not closed within 1048576 bytes"],
      [2 + 100 * MiB, "a quote is opened and not closed within the file"],
      [3 + 100 * MiB, null]
    ]
  },
  {
    name: "a quoted field of 100 MB in one line",
    file: "a.csv",
    parts: () => [header, Buffer.from('y,2,"'), ...repeated(Buffer.alloc(MiB, '""'), 100), Buffer.from('"\n'), x],
    records: [
      [2, tooLong(100 * MiB + 6)],
      [3, null]
    ]
  },
  {
    name: "a JSON text of 100 MB",
    file: "a.ndjson",
    parts: () => [
      Buffer.from('{"id":"'),
      ...repeated(Buffer.alloc(MiB, "a"), 100),
      Buffer.from('","amount":1}\n{"id":"x","amount":1}\n')
    ],
    records: [
      [1, tooLong(100 * MiB + 20)],
      [2, null]
    ]
  },
  {
    name: "JSON of 50 million levels",
    file: "a.ndjson",
    parts: () => [...repeated(Buffer.alloc(MiB, "["), 50), Buffer.from('\n{"id":"x","amount":1}\n')],
    records: [
      [1, tooLong(50 * MiB)],
      [2, null]
    ]
  },
  {
    name: "a header of a million columns",
    file: "a.csv",
    parts: () => [
      Buffer.from(`id,amount${Array.from({ length: 1_000_000 }, (_, index) => `,c${index}`).join("")}\nx,1\n`)
    ],
    records: [],
    error: "its header (line 1) cannot be read: the line has 7888899 bytes, more than the 1048576 allowed"
  },
  {
    name: "a header of a million columns without names",
    file: "a.csv",
    parts: () => [Buffer.from(`id,amount${",".repeat(1_000_000)}\nx,1\n`)],
    records: [],
    error: "its header has 1000002 columns, more than the 10000 allowed"
  },
  {
    name: "records of a million fields",
    file: "a.csv",
    parts: () => [header, ...repeated(Buffer.from(`${",".repeat(1_000_000)}\n`), 20), x],
    records: [
      ...Array.from(
        { length: 20 },
        (_, index) => [index + 2, "too many fields: 1000001, where the header has 3"] as const
      ),
      [22, null]
    ]
  },
  {
    name: "JSON objects of 100,000 fields, and lists of half a million numbers",
    file: "a.ndjson",
    parts: () => [
      Buffer.from(`{${Array.from({ length: 100_000 }, (_, index) => `"${index}":1`).join(",")}}\n`),
      ...repeated(
        Buffer.from(`{"id":"y","amount":"z","note":[${Array.from({ length: 260_000 }, () => "1e9").join(",")}]}\n`),
        10
      ),
      Buffer.from('{"id":"x","amount":1}\n')
    ],
    records: [
      [1, "has 100000 fields, more than the 10000 allowed"],
      ...Array.from({ length: 10 }, (_, index) => [index + 2, "amount is no number"] as const),
      [12, null]
    ]
  },
  {
    name: "5 GB of zeros in a gzip file of 5 MB",
    file: "a.csv.gz",
    parts: () => [gzipSync(header), gzipSync(x), ...repeated(zeros, 80), gzipSync("\n"), gzipSync(x)],
    records: [
      [2, null],
      [3, tooLong(5 * 1024 * MiB)],
      [4, null]
    ]
  },
  {
    name: "a billion line breaks in a gzip file",
    file: "a.csv.gz",
    parts: () => [gzipSync(header), ...repeated(breaks, 16), gzipSync(x)],
    records: [[2 + 1024 * MiB, null]]
  },
  {
    name: "a gzip file of a million empty members",
    file: "a.csv.gz",
    parts: () => [gzipSync(header), ...repeated(Buffer.concat(repeated(gzipSync(""), 1000)), 1000), gzipSync(x)],
    records: [[2, null]]
  }
]

describe("FileSource, bounded memory", () => {
  it.effect.each(cases)("lands $name in a heap of 256 MB (Verifies: L4)", ({ error, file, parts, records }) =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Effect.promise(() => pipeline(Readable.from(parts()), createWriteStream(`${folder}/${file}`)))
      const report = yield* landed(folder)
      if (error === undefined) assert.isNull(report.error)
      else assert.include(report.error, error)
      assert.deepStrictEqual(
        report.records.map(([line, , reason], index) => [
          line,
          reason?.startsWith(records[index]?.[1] ?? "\0") === true ? records[index]?.[1] : reason
        ]),
        records.map(([line, reason]) => [line, reason])
      )
      for (const [, length] of report.records) assert.isAtMost(length, MiB)
    }).pipe(Effect.scoped)
  )

  it.effect("lands a sparse file of 1 GB, and what stands behind it (Verifies: L4)", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      yield* Feed.write(folder, "a.csv", header)
      yield* Effect.promise(() => Fs.truncate(`${folder}/a.csv`, header.length + 1024 * MiB))
      yield* Feed.append(folder, "a.csv", "\nx,1,\n")
      const report = yield* landed(folder)
      assert.deepStrictEqual(
        [report.error, report.records.map((record) => [...record])],
        [
          null,
          [
            [2, 65_536, tooLong(1024 * MiB)],
            [3, 4, null]
          ]
        ]
      )
    }).pipe(Effect.scoped)
  )
})
