/**
 * How long do planning, status and definitions take where assets and partitions are many? Measured on a real PostgreSQL:
 * that of `DATABASE_URL`, or one that is started for the benchmark. Nothing here fails by time; the figures are printed
 * with what is aimed for on two cores.
 *
 * Usage: node packages/core/benchmark/scale/run.ts [--only define,type,plan,status,tick,single] [--assets 2000] [--days 2000]
 *   [--json]
 */
import type { Asset } from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import type { Ledger } from "@assay/core/ledger/Ledger"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as AssetStatus from "@assay/core/planning/AssetStatus"
import * as Plan from "@assay/core/planning/Plan"
import * as Request from "@assay/core/planning/Request"
import type { Postgres } from "@assay/core/postgres/Postgres"
import { sql } from "@assay/core/Sql"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Os from "node:os"
import { parseArgs } from "node:util"
import { start } from "../../test/support/Postgres.ts"
import { layer, one } from "../Workbench.ts"
import * as Fill from "./Fill.ts"
import * as Graph from "./Graph.ts"
import * as Tick from "./Tick.ts"
import * as Typing from "./Typing.ts"

const names: ReadonlyArray<string> = ["define", "type", "plan", "status", "tick", "single"]

const { values } = parseArgs({
  options: {
    only: { type: "string", default: names.join() },
    assets: { type: "string", default: "2000" },
    days: { type: "string", default: "2000" },
    json: { type: "boolean", default: false }
  }
})

const wanted = values.only.split(",")
const [assetCount, dayCount] = [Number(values.assets), Number(values.days)]

if (wanted.some((name) => !names.includes(name)) || !Number.isInteger(assetCount) || !Number.isInteger(dayCount)) {
  console.error(`Parts are ${names.join(", ")}; --assets and --days are whole numbers.`)
  process.exit(2)
}

interface Figure {
  readonly name: string
  readonly what: string
  /** In `unit`: the first time, and the median of all times. */
  readonly first: number
  readonly median: number
  /** Milliseconds of processor that this process took, the median: what a busy machine does not change. */
  readonly processor?: number
  readonly unit: "ms" | "MB"
  readonly aim: number
}

const figures: Array<Figure> = []

const say = (figure: Figure): void => {
  figures.push(figure)
  if (values.json) return
  const number = (value: number) => value.toFixed(value < 10 ? 1 : 0).padStart(7)
  console.log(
    `${figure.name.padEnd(8)}${figure.what.padEnd(62)}${number(figure.first)}${number(figure.median)}` +
      `${figure.processor === undefined ? "".padEnd(7) : number(figure.processor)} ${figure.unit}` +
      `   aim ${figure.aim}`
  )
}

const medianOf = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Repeats an effect, so that the first time, with everything cold, and the median are both known. */
const measure = Effect.fnUntraced(function* <A, E, R>(
  of: { readonly name: string; readonly what: string; readonly aim: number; readonly times?: number },
  effect: Effect.Effect<A, E, R>
): Effect.fn.Return<A, E, R> {
  const times: Array<number> = []
  const processor: Array<number> = []
  let result: A
  do {
    const [began, before] = [performance.now(), process.cpuUsage()]
    result = yield* effect
    times.push(performance.now() - began)
    const { system, user } = process.cpuUsage(before)
    processor.push((system + user) / 1000)
  } while (times.length < (of.times ?? 5))
  say({ ...of, first: times[0] ?? 0, median: medianOf(times), processor: medianOf(processor), unit: "ms" })
  return result
})

const day = 86_400_000
const firstDay = "2019-01-01"
const nowOfDays = Date.parse(`${firstDay}T12:00:00Z`) + dayCount * day

/** From the ledger to the plan, as `assay plan` goes. */
const planOf = Effect.fnUntraced(function* (
  graph: AssetGraph.AssetGraph<never>,
  request: Request.Request,
  now: number
): Effect.fn.Return<Plan.Plan, unknown, Ledger | Postgres> {
  const targets = yield* Effect.fromResult(Request.targets(request, { graph, now }))
  const statuses = yield* AssetStatus.read({
    assets: targets.map(({ asset }) => asset),
    now: DateTime.makeUnsafe(now)
  })
  const findings = statuses.flatMap((status, index): ReadonlyArray<Plan.Finding> => {
    const target = targets[index]
    return target === undefined ? [] : [{ target, status, deliveries: [] }]
  })
  return Plan.make(findings, { now, isRehearsed: true })
})

const unitsOf = (plan: Plan.Plan): number =>
  plan.steps.reduce((sum, step) => sum + (step._tag === "Build" ? step.units : 0), 0)

const expect = (found: number, expected: number, what: string): Effect.Effect<void> =>
  found === expected ? Effect.void : Effect.die(`${what}: ${found} instead of ${expected}`)

/** Definitions, which need no database. */
const define = Effect.gen(function* () {
  yield* measure(
    { name: "define", what: "5,000 assets and their graph", aim: 500, times: 3 },
    Effect.sync(() => Graph.days(5000, firstDay))
  )
})

const type = Effect.gen(function* () {
  yield* measure(
    { name: "type", what: "tsc over 500 assets", aim: 6000, times: 1 },
    Effect.sync(() => Typing.check(500))
  )
})

const planning = Effect.gen(function* () {
  const graph = Graph.days(assetCount, firstDay)
  const assets: ReadonlyArray<Asset> = Array.from(graph.assets.values())
  yield* Fill.built(assets, nowOfDays)
  const now = DateTime.makeUnsafe(nowOfDays)
  const status = AssetStatus.read({ assets, now })
  const units = assetCount * dayCount
  const label = `${assetCount.toLocaleString("en-US")} × ${dayCount.toLocaleString("en-US")}`
  if (wanted.includes("status")) {
    yield* Fill.stale(assets, { now: nowOfDays, count: 0 })
    yield* measure({ name: "status", what: `${label}, nothing new`, aim: 100 }, status)
    yield* Fill.stale(assets, { now: nowOfDays, count: 1000 })
    const found = yield* measure({ name: "status", what: `${label}, 1,000 units changed`, aim: 300 }, status)
    const stale = found.reduce((sum, of) => sum + AssetStatus.staleCount(of), 0)
    yield* expect(stale, 1000, "stale units")
  }
  if (wanted.includes("tick")) {
    const ground = Tick.atRest(graph, nowOfDays)
    yield* Fill.stale(assets, { now: nowOfDays, count: 0 })
    yield* measure(
      { name: "tick", what: `${label}, nothing new`, aim: 100 },
      Tick.look(ground, { heard: new Map(), now: nowOfDays })
    )
    const marks = yield* Fill.stale(assets, { now: nowOfDays, count: 1000 })
    const heard = new Map<string, Array<string>>()
    for (const { asset, unit } of marks) heard.set(asset, [...(heard.get(asset) ?? []), unit])
    const request = yield* measure(
      { name: "tick", what: `${label}, 1,000 units changed`, aim: 300 },
      Tick.look(ground, { heard, now: nowOfDays })
    )
    const requested = request?.requested.reduce((sum, { units }) => sum + PartitionSet.size(units), 0) ?? 0
    yield* expect(requested, 1000, "requested units")
  }
  if (wanted.includes("plan")) {
    const stale = Math.floor(units / 100)
    yield* Fill.stale(assets, { now: nowOfDays, count: stale })
    const plan = yield* measure(
      { name: "plan", what: `${label}, ${stale.toLocaleString("en-US")} stale at random`, aim: 1000 },
      planOf(graph, {}, nowOfDays)
    )
    yield* expect(unitsOf(plan), stale, "planned units")
    const memory = process.resourceUsage().maxRSS / 1024
    say({
      name: "plan",
      what: "most memory of the process so far",
      first: memory,
      median: memory,
      unit: "MB",
      aim: 500
    })
  }
})

const single = Effect.gen(function* () {
  const asset = Graph.minutes("2015-01-01")
  const nowOfMinutes = Date.parse("2015-01-01T00:01:00Z") + 1_000_000 * 5 * 60_000
  const graph = AssetGraph.fromIterable([asset])
  yield* Fill.built([asset], nowOfMinutes)
  yield* Fill.stale([asset], { now: nowOfMinutes, count: 10_000 })
  const [status] = yield* measure(
    { name: "single", what: "status of 1,000,000 partitions, 10,000 of them stale", aim: 200 },
    AssetStatus.read({ assets: [asset], now: DateTime.makeUnsafe(nowOfMinutes) })
  )
  if (status === undefined) return yield* Effect.die("no status")
  yield* expect(PartitionSet.size(status.built), 1_000_000, "built partitions")
  const plan = yield* measure(
    { name: "single", what: "plan of all of them, status read", aim: 200 },
    planOf(graph, {}, nowOfMinutes)
  )
  yield* expect(unitsOf(plan), 10_000, "planned units")
  yield* measure(
    { name: "single", what: "plan in words", aim: 200 },
    Effect.sync(() => Plan.explain(plan))
  )
  const existing = Partitions.existing(asset.partitions, nowOfMinutes)
  yield* measure(
    { name: "single", what: "the range 2016-03..2019, 2021-05-05 among them", aim: 200 },
    Effect.fromResult(
      Result.map(
        PartitionSet.parse("2016-03..2019, 2021-05-05", { partitions: asset.partitions, existing, now: nowOfMinutes }),
        (found) => [PartitionSet.size(found), PartitionSet.format(found), PartitionSet.take(found, 20_000)]
      )
    )
  )
})

const program = Effect.gen(function* () {
  const { version } = yield* one(
    sql`SELECT current_setting('server_version') AS version`,
    Schema.Struct({ version: Schema.String })
  )
  const machine = {
    processor: Os.cpus()[0]?.model ?? "unknown",
    cores: Os.availableParallelism(),
    load: Os.loadavg()[0],
    memoryGb: Math.round(Os.totalmem() / 2 ** 30),
    system: `${Os.type()} ${Os.release()}`,
    node: process.version,
    postgres: version
  }
  if (!values.json) {
    console.log(
      `${machine.cores} cores (${machine.processor}), load ${machine.load?.toFixed(1)}, ${machine.memoryGb} GB, ` +
        `${machine.system}, Node ${machine.node}, PostgreSQL ${version}\n\n${"".padEnd(70)}  first median    cpu`
    )
  }
  if (["status", "plan", "tick"].some((name) => wanted.includes(name))) yield* planning
  if (wanted.includes("single")) yield* single
  if (wanted.includes("define")) yield* define
  if (wanted.includes("type")) yield* type
  if (values.json) console.log(JSON.stringify({ machine, figures }, undefined, 2))
})

const given = process.env["DATABASE_URL"] ?? ""
const server = given === "" ? await start({ durable: false }) : { url: given, stop: () => Promise.resolve() }
const client = PgClient.layer({ url: Redacted.make(server.url), maxConnections: 4 })
try {
  await Effect.runPromise(
    program.pipe(
      Effect.provide(layer("assay_scale").pipe(Layer.provideMerge(client))),
      Effect.provideService(References.MinimumLogLevel, "Warn")
    )
  )
} finally {
  await server.stop()
}
