/**
 * Valid files in which some bytes are changed, put in, taken out or repeated. Whatever comes of it, the engine lands each
 * line once, in bronze or in quarantine, as it is and where it is; or it refuses the file and says why.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as fc from "fast-check"
import { gunzipSync, gzipSync } from "node:zlib"
import * as Bronze from "./Bronze.ts"
import * as Feed from "./Feed.ts"

/** Bytes that mean something to a reader of text, CSV, JSON or gzip, and any others. */
const telling = [
  0x00, 0x0a, 0x0d, 0x22, 0x2c, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x3a, 0x30, 0x2d, 0x65, 0xc3, 0xe2, 0xef, 0xf0, 0xfe, 0xff
]
const byte = fc.oneof(fc.constantFrom(...telling), fc.integer({ min: 0, max: 255 }))

interface Mutation {
  readonly at: number
  readonly removed: number
  readonly put: ReadonlyArray<number>
  /** Repeats so many of the bytes before the place. */
  readonly repeated: number
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  removed: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })),
  put: fc.array(byte, { maxLength: 4 }),
  repeated: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 60 }))
})

const mutated = (bytes: Buffer, mutations: ReadonlyArray<Mutation>): Buffer =>
  mutations.reduce((bytes, { at, put, removed, repeated }) => {
    const place = at % (bytes.length + 1)
    return Buffer.concat([
      bytes.subarray(0, place),
      Buffer.from(put),
      bytes.subarray(Math.max(0, place - repeated), place),
      bytes.subarray(place + removed)
    ])
  }, bytes)

const csv = Buffer.from(
  [
    "id,amount,note",
    "a,1,plain",
    'b,2.50,"quoted, ""twice"""',
    'c,-3,"over\r\nthree\nlines"',
    "",
    "d,4,Grüße 😀\r",
    'e,5,"{""a"":[1,{""b"":null}]}"',
    "f,x,rejected",
    "g,7,last"
  ].join("\n")
)

const ndjson = Buffer.from(
  [
    '{"id":"a","amount":1,"note":"plain"}',
    '{"amount":"2.50","id":"b","note":{"deep":[1.5,"\\u00fc\\n",null,true]}}\r',
    "",
    '{"id":"c","amount":-3,"other":"Grüße 😀"}',
    '{"id":4,"amount":12345678901234567890.5}',
    '{"id":"e","amount":"x"}',
    '{"id":"f","amount":6}'
  ].join("\n")
)

/** Lands the bytes of one file; nothing may be left due, and a second landing changes nothing. */
const landing = Effect.fnUntraced(function* (file: string, bytes: Buffer) {
  const folder = yield* Feed.folder
  yield* Feed.write(folder, file, bytes)
  const assay = yield* Bronze.open(folder, { batchSize: 3 })
  const landed = yield* Bronze.land(assay)
  assert.deepStrictEqual(yield* Bronze.land(assay), landed)
  if (landed.error !== undefined) {
    assert.include(landed.error, file)
    assert.match(landed.error, /[Ll]and it again|Compress it|[Cc]orrect the file/)
  }
  return landed
})

const check = (
  options: { readonly bytes: Buffer; readonly numRuns: number },
  test: (bytes: Buffer) => Effect.Effect<void, unknown, Scope.Scope>
) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 5 }), (mutations) =>
        Effect.runPromise(Effect.scoped(test(mutated(options.bytes, mutations))))
      ),
      { numRuns: options.numRuns }
    )
  )

describe("FileSource, mutated files", () => {
  it.effect("keeps each line of mutated CSV once, or refuses its header (Verifies: L4)", () =>
    check({ bytes: csv, numRuns: 400 }, (bytes) =>
      Effect.gen(function* () {
        const { error, kept } = yield* landing("a.csv", bytes)
        if (error === undefined) Bronze.assertAccounted(bytes, "csv", kept)
        else assert.deepStrictEqual(kept, [])
      })
    )
  )

  it.effect("keeps each line of mutated NDJSON once (Verifies: L4)", () =>
    check({ bytes: ndjson, numRuns: 400 }, (bytes) =>
      Effect.gen(function* () {
        const { error, kept } = yield* landing("a.ndjson", bytes)
        assert.isUndefined(error)
        Bronze.assertAccounted(bytes, "ndjson", kept)
      })
    )
  )

  it.effect("keeps each line of what mutated gzip still holds, or refuses it (Verifies: L4)", () =>
    check({ bytes: gzipSync(csv), numRuns: 250 }, (bytes) =>
      Effect.gen(function* () {
        const { error, kept } = yield* landing("a.csv.gz", bytes)
        if (error === undefined) Bronze.assertAccounted(gunzipSync(bytes), "csv", kept)
      })
    )
  )
})
