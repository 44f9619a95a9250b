/**
 * Files that change while they are read. The source is read as fast as its batches are taken, so a change between two
 * batches is one in the middle of the reading. Whatever happens, a record is one that stood in some version of the file,
 * on that line, as a whole; and the records of the last version all land once the file is at rest.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import * as Fs from "node:fs/promises"
import { gunzipSync } from "node:zlib"
import * as Feed from "./Feed.ts"

const header = "id,amount,note\n"

/** Lines of a length that the seed varies, so that no two versions break at the same places. */
const version = (seed: number, count: number): string =>
  `${header}${Array.from({ length: count }, (_, index) => `v${seed}r${index},${index},${"n".repeat((index * 7 + seed * 13) % 50)}\n`).join("")}`

type Change =
  | { readonly _tag: "Grow"; readonly count: number }
  | { readonly _tag: "GrowByHalfALine" }
  | { readonly _tag: "Rewrite"; readonly count: number }
  | { readonly _tag: "Overwrite"; readonly at: number }
  | { readonly _tag: "Replace"; readonly count: number }
  | { readonly _tag: "Shrink"; readonly share: number }
  | { readonly _tag: "Delete" }

const count = fc.integer({ min: 1, max: 15_000 })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ _tag: fc.constant("Grow" as const), count: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ _tag: fc.constant("GrowByHalfALine" as const) }),
  fc.record({ _tag: fc.constant("Rewrite" as const), count }),
  fc.record({ _tag: fc.constant("Overwrite" as const), at: fc.integer({ min: 0, max: 99 }) }),
  fc.record({ _tag: fc.constant("Replace" as const), count }),
  fc.record({ _tag: fc.constant("Shrink" as const), share: fc.integer({ min: 0, max: 99 }) }),
  fc.record({ _tag: fc.constant("Delete" as const) })
)

/** Changes the file, and says which versions there were meanwhile: what a writer does is not done at once. */
const apply = (
  folder: string,
  name: string,
  { change, current, seed }: { readonly change: Change; readonly current: string; readonly seed: number }
): Effect.Effect<string> => {
  const path = `${folder}/${name}`
  const pack = (text: string) => (name.endsWith(".gz") ? Feed.gzip(text) : text)
  const put = (text: string) => Effect.as(Feed.write(folder, name, pack(text)), text)
  switch (change._tag) {
    case "Grow": {
      const more = version(seed, change.count).slice(header.length)
      return Effect.as(Feed.append(folder, name, pack(more)), current + more)
    }
    case "GrowByHalfALine": {
      const more = `v${seed}half,1`
      return Effect.as(Feed.append(folder, name, pack(more)), current + more)
    }
    case "Rewrite":
      return put(version(seed, change.count))
    case "Overwrite": {
      // In place and without a change of size, line by line of the same length.
      const text = current.replaceAll(
        /^v\d+r/gm,
        (name) =>
          `w${String(seed)
            .padStart(name.length - 2, "0")
            .slice(2 - name.length)}r`
      )
      const lines = text.split("\n")
      const kept = Math.floor((lines.length * change.at) / 100)
      const mixed = [...current.split("\n").slice(0, kept), ...lines.slice(kept)].join("\n")
      if (name.endsWith(".gz")) return put(mixed)
      return Effect.as(
        Effect.promise(() => Fs.open(path, "r+").then((handle) => handle.write(mixed, 0).then(() => handle.close()))),
        mixed
      )
    }
    case "Replace": {
      const text = version(seed, change.count)
      return Feed.write(folder, "next", pack(text)).pipe(
        Effect.andThen(Effect.promise(() => Fs.rename(`${folder}/next`, path))),
        Effect.as(text)
      )
    }
    case "Shrink": {
      if (name.endsWith(".gz")) return put(current.slice(0, Math.floor((current.length * change.share) / 100)))
      const length = Math.floor((current.length * change.share) / 100)
      return Effect.as(
        Effect.promise(() => Fs.truncate(path, length)),
        current.slice(0, length)
      )
    }
    case "Delete":
      return Effect.as(
        Effect.promise(() => Fs.rm(path)),
        ""
      )
  }
}

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n")

/** Each record stands as it is on its line of some version. */
const assertWhole = (landed: Feed.Landed, versions: ReadonlyArray<ReadonlyArray<string>>): void => {
  for (const { line, raw } of [...landed.rows.map(({ hash, line }) => ({ line, raw: hash })), ...landed.rejected]) {
    assert.isTrue(
      versions.some((lines) => lines[line - 1] === raw),
      `${JSON.stringify(raw)} stood on line ${line} of no version`
    )
  }
}

const story = fc.record({
  name: fc.constantFrom("a.csv", "a.csv", "a.csv.gz"),
  count,
  batchSize: fc.constantFrom(500, 2000, 10_000),
  changes: fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), change), { minLength: 1, maxLength: 4 })
})

describe("FileSource, files that change while they are read", () => {
  it.effect("lands no record that is half of one version and half of another (Verifies: L4)", () =>
    Effect.gen(function* () {
      // Several chunks long, and of other line lengths: what is read behind a change begins in the middle of a line.
      const versions = [version(1, 30_000), version(2, 31_000), version(3, 29_000)]
      for (const isInPlace of [false, true]) {
        for (const at of [1, 5, 9, 13]) {
          const folder = yield* Feed.folder
          const source = Feed.source(folder, { batchSize: 1000 })
          const [before = "", ...others] = versions
          yield* Feed.write(folder, "a.csv", before)
          const write = (text: string) =>
            isInPlace
              ? Effect.promise(() =>
                  Fs.open(`${folder}/a.csv`, "r+").then((handle) =>
                    handle
                      .write(text, 0)
                      .then(() => handle.truncate(text.length))
                      .then(() => handle.close())
                  )
                )
              : Feed.write(folder, "a.csv", text)
          const onBatch = (batch: number) =>
            write(others[batch - at] ?? others.at(-1) ?? "").pipe(
              Effect.when(Effect.succeed(batch === at || batch === at + 1)),
              Effect.asVoid
            )
          const first = yield* Feed.land(source, Feed.nothing, { onBatch })
          assertWhole(first, versions.map(linesOf))
          const second = yield* Feed.land(source, first)
          assertWhole(second, versions.map(linesOf))
          const raws = new Set(Feed.raws(second))
          assert.deepStrictEqual(
            linesOf(versions[2] ?? "")
              .slice(1, -1)
              .filter((line) => !raws.has(line)),
            []
          )
          assert.deepStrictEqual((yield* Feed.land(source, second)).deliveries, [])
        }
      }
    }).pipe(Effect.scoped)
  )

  it.effect("reads a file to its end that grows all the time, and only once (Verifies: L4)", () =>
    Effect.gen(function* () {
      const folder = yield* Feed.folder
      const source = Feed.source(folder, { batchSize: 1000 })
      yield* Feed.write(folder, "a.csv", version(1, 30_000))
      const onBatch = (batch: number) =>
        batch <= 40 ? Feed.append(folder, "a.csv", version(batch + 1, 100).slice(header.length)) : Effect.void
      const first = yield* Feed.land(source, Feed.nothing, { onBatch })
      assert.isUndefined(first.error)
      assert.isAtLeast(first.rows.length, 30_000)
      const second = yield* Feed.land(source, first)
      const lines = linesOf(yield* Effect.promise(() => Fs.readFile(`${folder}/a.csv`, "utf8"))).slice(1, -1)
      assert.deepStrictEqual(
        second.rows.map(({ hash }) => hash),
        lines
      )
      assert.deepStrictEqual(
        second.rows.map(({ line }) => line),
        lines.map((_, index) => index + 2)
      )
    }).pipe(Effect.scoped)
  )

  it.effect(
    "lands whole records of some version, and in the end every record of the last one (Verifies: L4)",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(story, ({ batchSize, changes, count, name }) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const folder = yield* Feed.folder
                const source = Feed.source(folder, { batchSize })
                let current = version(1, count)
                yield* Feed.write(folder, name, name.endsWith(".gz") ? Feed.gzip(current) : current)
                yield* Feed.write(folder, "z.csv", "id,amount,note\n")
                const versions = [linesOf(current)]
                const due = changes.toSorted(([a], [b]) => a - b)
                let batches = 0
                const onBatch = () =>
                  Effect.gen(function* () {
                    batches += 1
                    while (due[0] !== undefined && due[0][0] <= batches) {
                      const [, change] = due.shift() ?? due[0]
                      if (current === "") continue
                      current = yield* apply(folder, name, { change, current, seed: versions.length + 1 })
                      versions.push(linesOf(current))
                    }
                  })
                let landed = yield* Feed.land(source, Feed.nothing, { onBatch })
                assertWhole(landed, versions)
                for (let round = 0; round < 6; round++) {
                  landed = yield* Feed.land(source, landed, { onBatch })
                  assertWhole(landed, versions)
                }
                const last = yield* Feed.land(source, landed)
                if (current !== "" && landed.error === undefined) {
                  assert.deepStrictEqual([last.deliveries, last.error], [[], undefined])
                  const raws = new Set(Feed.raws(last))
                  const stored = yield* Effect.promise(() => Fs.readFile(`${folder}/${name}`))
                  const text = (name.endsWith(".gz") ? gunzipSync(stored) : stored).toString()
                  assert.strictEqual(text, current)
                  for (const raw of linesOf(text).slice(1)) assert.isTrue(raw === "" || raws.has(raw), `${raw} is lost`)
                  assert.strictEqual(new Set(last.rows.map(({ hash }) => hash)).size, last.rows.length)
                }
              }).pipe(Effect.scoped)
            )
          ),
          { numRuns: 25 }
        )
      ),
    300_000
  )
})
