import type { Assay } from "@assay/core/Assay"
import { FaultPoint, type Point } from "@assay/core/execution/FaultPoint"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { layer as layerDisturbance } from "../shop/Disturbance.ts"
import { lies, rows, steps, trouble } from "../shop/Trade.ts"
import * as Crew from "./Crew.ts"
import * as OrderFeed from "./OrderFeed.ts"
import * as Site from "./Site.ts"
import * as Stock from "./Stock.ts"

const land = (assay: typeof Assay.Service) => assay.materialize({ assets: ["bronze_orders"] })

/** Lands, and stops at the given passing of a point until it is told to go on. */
const landUpTo = Effect.fnUntraced(function* (assay: typeof Assay.Service, point: Point, passing: number) {
  const reached = yield* Deferred.make<void>()
  const go = yield* Deferred.make<void>()
  let passed = 0
  const fiber = yield* Effect.forkChild(
    land(assay).pipe(
      Effect.provideService(FaultPoint, (at) => {
        if (at !== point) return Effect.void
        passed += 1
        return passed === passing
          ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go))
          : Effect.void
      })
    )
  )
  yield* Deferred.await(reached)
  return Effect.andThen(Deferred.succeed(go, undefined), Fiber.join(fiber))
})

const copy = (folder: string, from: string, to: string): void =>
  Fs.copyFileSync(Path.join(folder, from), Path.join(folder, to))

const rename = (folder: string, from: string, to: string): void =>
  Fs.renameSync(Path.join(folder, from), Path.join(folder, to))

const place = (environment: string) =>
  Effect.gen(function* () {
    const site = yield* Site.make({ environment, instant: Stock.noon, graph: (folder) => Stock.graph({ folder }) })
    const { assay } = yield* site.open()
    yield* assay.status()
    OrderFeed.open(site.folder)
    return { assay, folder: site.folder }
  })

/** Each line of the opening is in the log once, and nothing is left to be landed. */
const assertOnce = Effect.fnUntraced(function* (assay: typeof Assay.Service) {
  const ids = (yield* rows(assay, "bronze_orders")).map((row) => row.find((cell) => cell?.startsWith("first-")))
  assert.sameMembers(
    ids,
    OrderFeed.opening.map((line) => line.slice(0, line.indexOf(",")))
  )
  assert.strictEqual((yield* land(assay)).steps, 0)
})

it.layer(Site.layer, { excludeTestServices: true })(
  "content that comes again while its first landing is under way",
  (it) => {
    it.effect("is not landed again under another name that comes before (Verifies: L4)", () =>
      Effect.gen(function* () {
        const { assay, folder } = yield* place("again")
        const goOn = yield* landUpTo(assay, "landing.beforeCommit", 1)
        copy(folder, "opening.csv", "again.csv")
        const second = yield* Effect.forkChild(land(assay))
        yield* Effect.repeat(Crew.waits, { until: ({ length }) => length === 1 })
        const results = [yield* goOn, yield* Fiber.join(second)]
        assert.deepStrictEqual(results.map(trouble), [{}, {}])
        yield* assertOnce(assay)
        assert.deepStrictEqual(yield* lies(assay), [])
      }).pipe(Effect.scoped, Effect.provide(layerDisturbance))
    )

    it.effect(
      "goes on under the new name where its file is renamed, and ends under the old one (Verifies: L4, L8)",
      () =>
        Effect.gen(function* () {
          const { assay, folder } = yield* place("renamed")
          const goOn = yield* landUpTo(assay, "landing.beforeLock", 2)
          rename(folder, "opening.csv", "renamed.csv")
          const second = yield* land(assay)
          const results = [yield* goOn, second]
          assert.deepStrictEqual(results.map(trouble), [{}, {}])
          yield* assertOnce(assay)
        }).pipe(Effect.scoped, Effect.provide(layerDisturbance))
    )

    it.effect("is landed by whoever comes first, and the other one records nothing (Verifies: L4, L8)", () =>
      Effect.gen(function* () {
        const { assay } = yield* place("overtaken")
        const goOn = yield* landUpTo(assay, "landing.beforeLock", 1)
        const second = yield* land(assay)
        const first = yield* goOn
        assert.deepStrictEqual([first, second].map(trouble), [{}, {}])
        assert.deepStrictEqual(
          (yield* steps(assay, second.runId)).map(({ attempts, rowsInserted }) => [attempts, rowsInserted]),
          [[1, OrderFeed.opening.length]]
        )
        assert.deepStrictEqual(yield* steps(assay, first.runId), [])
        yield* assertOnce(assay)
      }).pipe(Effect.scoped, Effect.provide(layerDisturbance))
    )
  }
)
