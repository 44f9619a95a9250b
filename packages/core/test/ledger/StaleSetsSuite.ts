import { Materializations } from "@assay/core/ledger/Materializations"
import { type Cause, formatCause, type Registration, type Selection, StaleSets } from "@assay/core/ledger/StaleSets"
import { Transactor } from "@assay/core/Transactor"
import { all, from, listed, type UnitSet } from "@assay/core/Unit"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { at } from "./layers.ts"

const upstream = { _tag: "Upstream", asset: "silver" } satisfies Cause

const registration = (asset: string, fields: Partial<Registration> = {}): Registration => ({
  asset,
  codeVersion: "v1",
  isPartitioned: false,
  reads: ["silver"],
  ...fields
})

const register = (...assets: ReadonlyArray<Registration>) =>
  Effect.flatMap(StaleSets, (staleSets) => staleSets.register({ assets, at: at("10:00:00") }))

const mark = (asset: string, units: UnitSet, cause: Cause = upstream) =>
  Effect.flatMap(StaleSets, (staleSets) => staleSets.mark({ asset, units, cause, at: at("10:00:00") }))

/** Picks and clears in one transaction, with something happening between; yields how much was picked. */
const build = (asset: string, selection: Selection, meanwhile: Effect.Effect<void, unknown, StaleSets> = Effect.void) =>
  Effect.gen(function* () {
    const transactor = yield* Transactor
    const staleSets = yield* StaleSets
    return yield* transactor.transact(
      Effect.gen(function* () {
        const picked = yield* staleSets.pick({ asset, selection })
        yield* Effect.orDie(meanwhile)
        yield* staleSets.clear(picked)
        return picked.units._tag === "None" ? undefined : picked.count
      })
    )
  })

const whole: Selection = { _tag: "Whole", isForced: false }
const some = (limit: number): Selection => ({ _tag: "Some", limit })
const partitions = (isForced: boolean, ...units: ReadonlyArray<string>): Selection => ({
  _tag: "Units",
  units: units.map((unit) => ({ unit, window: undefined })),
  isForced
})

/** Everything that is stale of an asset, in words. */
const stale = (asset: string) =>
  Effect.gen(function* () {
    const staleSets = yield* StaleSets
    const set = (yield* staleSets.get([asset])).get(asset)
    const units = yield* staleSets.units(asset)
    return [
      ...(set?.ranges.map((range) => `${range.from ?? "all"}: ${formatCause(range.cause)}`) ?? []),
      ...units.map(({ cause, unit }) => `${unit}: ${formatCause(cause)}`)
    ]
  })

/** Every `StaleSets` layer must pass this suite. */
export const suite = (name: string, layer: Layer.Layer<StaleSets | Materializations | Transactor, unknown>) =>
  describe(`StaleSets (${name})`, () => {
    it.layer(layer)((it) => {
      it.effect("takes a new asset without partitions for stale as a whole, and a partitioned one not", () =>
        Effect.gen(function* () {
          yield* register(registration("new_whole"), registration("new_days", { isPartitioned: true }))
          assert.deepStrictEqual(yield* stale("new_whole"), ["all: never built"])
          assert.deepStrictEqual(yield* stale("new_days"), [])
        })
      )

      it.effect("takes an asset of another code version for stale as a whole, once", () =>
        Effect.gen(function* () {
          yield* register(registration("coded", { isPartitioned: true }))
          yield* register(registration("coded", { isPartitioned: true }))
          assert.deepStrictEqual(yield* stale("coded"), [])
          yield* register(registration("coded", { isPartitioned: true, codeVersion: "v2" }))
          yield* register(registration("coded", { isPartitioned: true, codeVersion: "v3" }))
          assert.deepStrictEqual(yield* stale("coded"), ["all: code changed"])
        })
      )

      it.effect("tells which assets it does not know as they are", () =>
        Effect.gen(function* () {
          const staleSets = yield* StaleSets
          const known = registration("told", { reads: ["bronze", "silver"] })
          assert.deepStrictEqual(yield* staleSets.unregistered([known]), [known])
          yield* register(known)
          assert.deepStrictEqual(yield* staleSets.unregistered([known]), [])
          const recoded = { ...known, codeVersion: "v2" }
          const rewired = { ...known, reads: ["silver"] }
          assert.deepStrictEqual(yield* staleSets.unregistered([recoded]), [recoded])
          assert.deepStrictEqual(yield* staleSets.unregistered([rewired]), [rewired])
          yield* register(rewired)
          assert.deepStrictEqual(yield* stale("told"), ["all: never built"])
          assert.deepStrictEqual(yield* staleSets.unregistered([known]), [known])
        })
      )

      it.effect("knows an asset and its readers with their code", () =>
        Effect.gen(function* () {
          const staleSets = yield* StaleSets
          yield* register(
            registration("read_of", { reads: [] }),
            registration("reader", { reads: ["other", "read_of"], codeVersion: "v7" }),
            registration("stranger")
          )
          const known = (yield* staleSets.known("read_of")).toSorted((a, b) => (a.asset < b.asset ? -1 : 1))
          assert.deepStrictEqual(known, [
            { asset: "read_of", codeVersion: "v1" },
            { asset: "reader", codeVersion: "v7" }
          ])
        })
      )

      it.effect("clears what was picked, and keeps what was marked again meanwhile (Verifies: L2)", () =>
        Effect.gen(function* () {
          yield* mark("cleared", listed(["a", "b"]))
          assert.strictEqual(yield* build("cleared", some(10), mark("cleared", listed(["b", "c"]))), 2)
          assert.deepStrictEqual(yield* stale("cleared"), ["b: silver changed", "c: silver changed"])
          assert.strictEqual(yield* build("cleared", some(10)), 2)
          assert.isUndefined(yield* build("cleared", some(10)))
        })
      )

      it.effect("picks no more than asked for, in the order of the units", () =>
        Effect.gen(function* () {
          yield* mark("portioned", listed(["c", "a", "b"]))
          assert.strictEqual(yield* build("portioned", some(2)), 2)
          assert.deepStrictEqual(yield* stale("portioned"), ["c: silver changed"])
        })
      )

      it.effect("a whole build clears ranges and units, except those marked again meanwhile (Verifies: L2)", () =>
        Effect.gen(function* () {
          yield* register(registration("rebuilt"))
          const staleSets = yield* StaleSets
          yield* staleSets.open("rebuilt")
          yield* mark("rebuilt", listed(["a", "b"]))
          const meanwhile = Effect.andThen(mark("rebuilt", listed(["b"])), mark("rebuilt", all))
          assert.strictEqual(yield* build("rebuilt", whole, meanwhile), 2)
          assert.deepStrictEqual(yield* stale("rebuilt"), ["all: silver changed", "b: silver changed"])
          assert.strictEqual(yield* build("rebuilt", whole), 1)
          assert.isUndefined(yield* build("rebuilt", whole))
          assert.strictEqual(yield* build("rebuilt", { ...whole, isForced: true }), 0)
        })
      )

      it.effect("covers units by the range of an asset that was never built, until its build has begun", () =>
        Effect.gen(function* () {
          const staleSets = yield* StaleSets
          yield* register(registration("covered"))
          yield* mark("covered", listed(["a"]))
          assert.deepStrictEqual(yield* stale("covered"), ["all: never built"])
          assert.strictEqual(yield* build("covered", whole, mark("covered", listed(["a"]))), 0)
          assert.deepStrictEqual(yield* stale("covered"), ["all: never built"])
          yield* staleSets.open("covered")
          assert.strictEqual(yield* build("covered", whole, mark("covered", listed(["a"]))), 0)
          assert.deepStrictEqual(yield* stale("covered"), ["a: silver changed"])
        })
      )

      it.effect("keeps one range for the same units and cause, with a new version each time", () =>
        Effect.gen(function* () {
          yield* register(registration("ranged", { isPartitioned: true }))
          yield* mark("ranged", all)
          yield* mark("ranged", from("2024-03-01"))
          yield* mark("ranged", from("2024-02-01"))
          yield* mark("ranged", all)
          yield* mark("ranged", from("2024-03-01"))
          const ranges = ["2024-02-01: silver changed", "2024-03-01: silver changed", "all: silver changed"]
          assert.deepStrictEqual((yield* stale("ranged")).toSorted(), ranges)
          assert.strictEqual(yield* build("ranged", whole, mark("ranged", from("2024-02-01"))), 0)
          assert.deepStrictEqual(yield* stale("ranged"), ["2024-02-01: silver changed"])
        })
      )

      it.effect("picks the partitions that are marked or were never built, or all where it is forced", () =>
        Effect.gen(function* () {
          const materializations = yield* Materializations
          yield* materializations.record({
            asset: "cut",
            runId: "run-1",
            codeVersion: "v1",
            at: at("10:00:00"),
            units: ["1", "2"].map((unit) => ({ unit, rows: 0, contentHash: "" }))
          })
          yield* mark("cut", listed(["2", "4"]))
          assert.strictEqual(yield* build("cut", partitions(false, "1", "2", "3")), 2)
          assert.deepStrictEqual(yield* stale("cut"), ["4: silver changed"])
          assert.isUndefined(yield* build("cut", partitions(false, "1", "2")))
          assert.strictEqual(yield* build("cut", partitions(true, "1", "2")), 2)
        })
      )

      it.effect("turns ranges into marks on the given partitions", () =>
        Effect.gen(function* () {
          const staleSets = yield* StaleSets
          yield* mark("expanded", from("2024-02-01"))
          yield* mark("expanded", from("2024-02-03"), { _tag: "CodeChanged" })
          const units = ["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-03"]
          yield* staleSets.expand({ asset: "expanded", units, at: at("10:00:00") })
          assert.deepStrictEqual(
            (yield* stale("expanded")).map((line) => line.slice(0, 10)),
            units.slice(1)
          )
        })
      )

      it.effect("tells of one unit what makes it stale, since when, the oldest first", () =>
        Effect.gen(function* () {
          const staleSets = yield* StaleSets
          const markAt = (time: string, units: UnitSet, cause: Cause) =>
            staleSets.mark({ asset: "explained", units, cause, at: at(time) })
          yield* markAt("10:00:03", listed(["2024-02-02", "2024-02-03"]), upstream)
          yield* markAt("10:00:01", from("2024-02-03"), { _tag: "CodeChanged" })
          yield* markAt("10:00:05", listed(["2024-02-02"]), upstream)
          const told = (unit: string) =>
            Effect.map(staleSets.covering({ asset: "explained", unit }), (marks) =>
              marks.map((mark) => [mark.isRange, formatCause(mark.cause), DateTime.formatIso(mark.at).slice(11, 19)])
            )
          assert.deepStrictEqual(
            [
              yield* told("2024-02-01"),
              yield* told("2024-02-02"),
              yield* told("2024-02-03"),
              yield* told("2024-02-04")
            ],
            [
              [],
              [[false, "silver changed", "10:00:05"]],
              [
                [true, "code changed", "10:00:01"],
                [false, "silver changed", "10:00:03"]
              ],
              [[true, "code changed", "10:00:01"]]
            ]
          )
        })
      )

      it.effect("marks vanish with the transaction that fails (Verifies: L3)", () =>
        Effect.gen(function* () {
          const transactor = yield* Transactor
          yield* mark("atomic", listed(["a"]))
          const work = Effect.andThen(build("atomic", some(1)), mark("atomic", listed(["b"])))
          assert.strictEqual(yield* Effect.flip(transactor.transact(Effect.andThen(work, Effect.fail("no")))), "no")
          assert.deepStrictEqual(yield* stale("atomic"), ["a: silver changed"])
        })
      )
    })
  })
