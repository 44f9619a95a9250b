import { Materializations } from "@assay/core/ledger/Materializations"
import { StaleSets } from "@assay/core/ledger/StaleSets"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { Transactor } from "@assay/core/Transactor"
import { listed } from "@assay/core/Unit"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Prng from "../oracle/Prng.ts"
import { at } from "./layers.ts"

export const days = Partitions.daily({ start: "2024-01-01", end: "2024-03-01" })
const longer = Partitions.daily({ start: "2023-12-01", end: "2024-03-01" })
const keys = Array.from(PartitionSet.keys(PartitionSet.all(days)))
const anyKey = (random: Prng.Prng): string => keys[random.below(keys.length)] ?? ""

export const record = (
  asset: string,
  units: ReadonlyArray<string>,
  options: { readonly codeVersion?: string; readonly partitions?: Partitions.Partitions | undefined } = {}
) =>
  Effect.flatMap(Materializations, (materializations) =>
    materializations.record({
      asset,
      runId: "run-1",
      codeVersion: options.codeVersion ?? "v1",
      at: at("10:00:00"),
      units: units.map((unit) => ({ unit, rows: 3, contentHash: "h" })),
      partitions: "partitions" in options ? options.partitions : days
    })
  )

/** What is built, as units whether or not it is kept as ranges. */
export const built = Effect.fnUntraced(function* (
  asset: string,
  definition: { readonly codeVersion: string; readonly partitions: Partitions.Partitions }
) {
  const materializations = yield* Materializations
  const found = (yield* materializations.built([{ asset, ...definition }])).get(asset)
  return {
    isSet: found?.set !== undefined,
    units:
      found?.set === undefined
        ? (found?.units ?? [])
        : Array.from(PartitionSet.keys(Result.getOrThrow(PartitionSet.fromJson(definition.partitions, found.set)))),
    outdated: found?.outdated ?? []
  }
})

/** What is read of many assets at once says the same as what is read of one, in every layer. */
export const suite = (name: string, layer: Layer.Layer<Materializations | StaleSets | Transactor, unknown>) =>
  describe(`what is built and marked of many assets (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("is what was recorded and not forgotten, whichever code and cut came in between", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          const random = Prng.make(7)
          for (let step = 0; step < 120; step++) {
            const asset = random.pick(["a", "b"])
            const units = Array.from({ length: 1 + random.below(12) }, () => anyKey(random))
            const codeVersion = random.pick(["v1", "v1", "v1", "v2"])
            yield* random.pick([
              () => record(asset, units, { codeVersion }),
              () => record(asset, keys.slice(random.below(50)), { codeVersion }),
              () => record(asset, units, { codeVersion, partitions: longer }),
              () => record(asset, units, { codeVersion, partitions: undefined }),
              () => materializations.forget({ asset, units })
            ])()
            for (const asset of ["a", "b"]) {
              const units = yield* materializations.units(asset)
              for (const codeVersion of ["v1", "v2"]) {
                const outdated = yield* materializations.outdated({ asset, codeVersion })
                for (const partitions of [days, longer]) {
                  const found = yield* built(asset, { codeVersion, partitions })
                  assert.deepStrictEqual([found.units, found.outdated], [[...units], [...outdated]])
                }
              }
            }
          }
        })
      )

      it.effect("says nothing of an asset that was never built, and keeps assets apart", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* record("left", ["2024-01-01"])
          yield* record("right", ["2024-01-02", "2024-01-05"])
          const found = yield* materializations.built(
            ["left", "right", "neither"].map((asset) => ({ asset, codeVersion: "v1", partitions: days }))
          )
          assert.deepStrictEqual(Array.from(found.keys()), ["left", "right", "neither"])
          assert.deepStrictEqual((yield* built("neither", { codeVersion: "v1", partitions: days })).units, [])
          assert.deepStrictEqual((yield* built("right", { codeVersion: "v1", partitions: days })).units, [
            "2024-01-02",
            "2024-01-05"
          ])
        })
      )

      it.effect("lists marks by cause, as they are listed one by one", () =>
        Effect.gen(function* () {
          const staleSets = yield* StaleSets
          const mark = (asset: string, upstream: string, ...units: ReadonlyArray<string>) =>
            staleSets.mark({
              asset,
              units: listed(units),
              cause: { _tag: "Upstream", asset: upstream },
              at: at("10:00:00")
            })
          yield* mark("marked", "x", "2024-01-03", "2024-01-01")
          yield* mark("marked", "a", "2024-01-02")
          yield* mark("other", "x", "2024-01-01")
          assert.deepStrictEqual(Array.from(yield* staleSets.marked(["marked", "unmarked"])), [
            [
              "marked",
              [
                { cause: { _tag: "Upstream", asset: "a" }, units: ["2024-01-02"] },
                { cause: { _tag: "Upstream", asset: "x" }, units: ["2024-01-01", "2024-01-03"] }
              ]
            ],
            ["unmarked", []]
          ])
        })
      )
    })
  })
