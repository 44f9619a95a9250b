/**
 * One run of the benchmark: makes the feed, does every stage by Assay and by the floor in one database, and compares what
 * came out. A difference ends the run.
 */
import * as BillingFeed from "@assay/billing-assets/BillingFeed"
import * as BillingGraph from "@assay/billing-assets/BillingGraph"
import * as Assay from "@assay/core/Assay"
import type { Asset } from "@assay/core/Asset"
import type * as AssetGraph from "@assay/core/AssetGraph"
import type { Request } from "@assay/core/planning/Request"
import * as Database from "@assay/core/postgres/Database"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Client from "./Client.ts"
import * as Comparison from "./Comparison.ts"
import * as Feed from "./Feed.ts"
import * as Floor from "./Floor.ts"
import * as Many from "./Many.ts"
import * as Meter from "./Meter.ts"
import * as Stage from "./Stage.ts"

/** What is run. */
export interface Options {
  readonly url: string
  readonly size: Feed.Size
  /** The folder of the feed; made and left to the caller. */
  readonly folder: string
  /** How often a late batch and a run without work are measured. */
  readonly times: number
  readonly parts: ReadonlyArray<string>
  /** One asset is built after the other, on as few connections as a run takes: what is counted is then the same twice. */
  readonly isSerial?: boolean
  /** Told which statements of each piece of work took longest. */
  readonly onProfile?: ((statements: ReadonlyArray<Meter.Statement>) => void) | undefined
  /** Told of each stage when it is done. */
  readonly onStage: (stage: Stage.Stage) => void
}

/** Assay and the floor have come to different rows. */
export class Differs extends Data.TaggedError("Differs")<{ readonly difference: Comparison.Difference }> {
  override get message(): string {
    const { asset, examples, onlyAssay, onlyFloor } = this.difference
    return [`${asset}: ${onlyAssay} rows only in Assay's table, ${onlyFloor} only in the floor's`, ...examples].join(
      "\n  "
    )
  }
}

/** Assay could not bring its assets up to date. */
export class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** Runs the stages and yields them. */
export const run = Effect.fnUntraced(function* (options: Options) {
  const { folder, onStage, parts, size, times, url } = options
  const stages: Array<Stage.Stage> = []
  const done = (stage: Stage.Stage) => {
    stages.push(stage)
    onStage(stage)
  }
  const { isSerial = false } = options
  const concurrency = isSerial ? { concurrency: 1 } : {}
  // A connection's first run of an asset also makes its temporary tables; which run that is, chance decides.
  const ofSeveral = isSerial ? Meter.least : Meter.median
  yield* clear(url)
  const graph = BillingGraph.make({ start: Feed.start, source: BillingFeed.make(folder) })
  const now = DateTime.formatIso(yield* DateTime.now)
  const floor = yield* Floor.make({ url, values: { floor: schemas.floor, start: Feed.start, now } })
  const meter = yield* Meter.make(url, options.onProfile)
  const differs = yield* Comparison.make({ url, assay: schemas.assay, floor: schemas.floor })
  const compare = Effect.fnUntraced(function* (asset: Asset<string, unknown, never>) {
    const difference = yield* differs(asset)
    if (difference !== undefined) return yield* new Differs({ difference })
  })
  const assay = yield* open(graph, { url, name: schemas.assay, isSerial })
  const bring = Effect.fnUntraced(function* (request: Request) {
    const result = yield* assay.materialize(request, concurrency)
    if (result.status === "succeeded") return
    return yield* new Failed({ message: JSON.stringify(result.outcomes, undefined, 2) })
  })
  const both = Effect.fnUntraced(function* <A, E1, R1, B, E2, R2>(
    ours: Effect.Effect<A, E1, R1>,
    byHand: Effect.Effect<B, E2, R2>
  ) {
    const [, assay] = yield* meter.measure(ours)
    const [, floor] = yield* meter.measure(byHand)
    return { assay, floor }
  })

  // What is made once is not part of the first stage.
  yield* assay.status()
  const landing = yield* both(
    bring({ assets: ["bronze_events"] }),
    Effect.gen(function* () {
      for (const file of Fs.readdirSync(folder).toSorted())
        yield* floor.transact([["land.sql", { file, path: Path.join(folder, file), target: "bronze_events" }]])
      yield* floor.run(["land_index.sql"])
    })
  )
  const perSecond = (size.rows * 1000) / landing.assay.ms
  done({
    name: "landing",
    what: `landing ${count(size.rows)} rows from gzip CSV`,
    rows: size.rows,
    ...landing,
    times: 1,
    aim: {
      text: "≥ 150,000 rows/s, ≤ 300 MB",
      isMet: perSecond >= 150_000 && (landing.assay.nodeMb ?? 0) <= 300
    }
  })
  yield* compare(assetOf(graph, "bronze_events"))

  const built: Array<{ readonly assay: Meter.Cost; readonly floor: Meter.Cost }> = []
  for (const { asset, files, name } of Stage.builds) {
    const costs = yield* both(bring({ assets: [asset] }), floor.run(files))
    built.push(costs)
    done({ name, what: `full refresh of ${asset}`, rows: null, ...costs, times: 1, aim: null })
    yield* compare(assetOf(graph, asset))
  }
  const full = { assay: Meter.sum(built.map(({ assay }) => assay)), floor: Meter.sum(built.map(({ floor }) => floor)) }
  done({
    name: "full",
    what: "full refresh of all of them",
    rows: size.rows,
    ...full,
    times: 1,
    aim: Stage.withinFloor(full.assay, full.floor, 1.15)
  })

  let batches = 0
  const late = Effect.fnUntraced(function* (rows: number) {
    batches += 1
    const file = yield* Effect.promise(() => writeFeed(folder, size, { number: batches, rows }))
    return yield* both(
      bring({}),
      floor.transact([
        ["late_land.sql"],
        ["land.sql", { file, path: Path.join(folder, file), target: "landed" }],
        ...Stage.lateFiles.map((name): Floor.Step => [name])
      ])
    )
  })
  const lates = Effect.fnUntraced(function* (name: Stage.Name, rows: number, faster: number | undefined) {
    // The first one pays for what a connection and a process do once.
    if (batches === 0) yield* late(rows)
    const costs: Array<{ readonly assay: Meter.Cost; readonly floor: Meter.Cost }> = []
    while (costs.length < times) costs.push(yield* late(rows))
    const assay = ofSeveral(costs.map(({ assay }) => assay))
    const floor = ofSeveral(costs.map(({ floor }) => floor))
    const aim =
      faster === undefined
        ? Stage.every(Stage.within(assay, 150), { text: "≤ 40 statements", isMet: (assay.statements ?? 0) <= 40 })
        : Stage.every(...(name === "late_small" ? [Stage.withinFloor(assay, floor, 1.3)] : []), {
            text: `≥ ${faster} × faster than full`,
            isMet: assay.ms * faster <= full.assay.ms
          })
    const share = `${((100 * rows) / size.rows).toFixed(1)} %`
    const what = rows === 1 ? "one late row, end to end" : `late batch of ${count(rows)} rows (${share}), end to end`
    done({ name, what, rows, assay, floor, times, aim })
    for (const asset of graph.assets.values()) yield* compare(asset)
  })
  if (parts.includes("late")) {
    yield* lates("late_small", Math.max(1, Math.round(size.rows / 1000)), 50)
    yield* lates("late_large", Math.max(1, Math.round(size.rows / 100)), 15)
    yield* lates("late_row", 1, undefined)
  }

  const idle = Effect.fnUntraced(function* (of: Effect.Effect<unknown, unknown>, repeated: number) {
    const costs: Array<Meter.Cost> = []
    yield* of
    while (costs.length < repeated) costs.push((yield* meter.measure(of))[1])
    return { rows: null, assay: ofSeveral(costs), floor: null, times: repeated }
  })
  if (parts.includes("noop")) {
    done({ name: "noop", what: "run with nothing to do", ...(yield* idle(bring({}), times)), aim: null })
    const many = yield* open(Many.make(steps, Feed.start), { url, name: schemas.many, isSerial })
    const nothing = Effect.asVoid(many.materialize({}, concurrency))
    const hundred = yield* idle(nothing, times)
    done({
      name: "noop_100",
      what: "run with nothing to do over 100 assets",
      ...hundred,
      aim: Stage.within(hundred.assay, 150)
    })
    const client = yield* Client.connect(url, "assay-benchmark")
    const stepped = yield* idle(
      Effect.asVoid(many.materialize({ force: true, partitions: Feed.start }, { concurrency: 1 })),
      times
    )
    const byHand = yield* idle(
      Effect.forEach(
        Many.byHand(steps, { start: Feed.start, schema: Assay.environment(schemas.many).warehouse }),
        (sql) => client.withTransaction(Effect.forEach(sql, (statement) => client.unsafe(statement).raw))
      ),
      times
    )
    done({
      name: "overhead",
      what: `${steps} steps of one empty day, one after the other`,
      ...stepped,
      floor: byHand.assay,
      aim: {
        text: "≤ 3 ms a step over the SQL",
        isMet: stepped.assay.ms - byHand.assay.ms <= 3 * steps
      }
    })
  }
  if (parts.includes("cli")) {
    const help = yield* idle(command(["--help"], { folder, url }), times)
    done({ name: "cli_help", what: "command line, --help", ...help, aim: Stage.within(help.assay, 300) })
    const nothing = yield* idle(command(["materialize"], { folder, url }), times)
    done({
      name: "cli_noop",
      what: "command line, materialize with nothing to do",
      ...nothing,
      aim: Stage.within(nothing.assay, 700)
    })
  }
  yield* clear(url)
  return stages
})

/** Writes the feed, or a late batch of it, in a process of its own: its memory would count as Assay's. */
export const writeFeed = (
  folder: string,
  { rows, seed }: Feed.Size,
  batch?: { readonly number: number; readonly rows: number }
): Promise<string> =>
  new Promise((resolve, reject) => {
    const given = [folder, seed, rows, ...(batch === undefined ? [] : [batch.number, batch.rows])]
    const child = ChildProcess.execFile(
      process.execPath,
      [Path.join(import.meta.dirname, "Feed.ts"), ...given.map(String)],
      (error, out) => (error === null ? resolve(out.trim()) : reject(error))
    )
    child.stderr?.pipe(process.stderr)
  })

// --- internal ---

/** In the graph of many assets. */
const steps = 100

const schemas = { assay: "assay_bench", many: "assay_bench_many", floor: "assay_bench_floor" }

const count = (rows: number): string => rows.toLocaleString("en-US")

const clear = Effect.fnUntraced(function* (url: string) {
  const client = yield* Client.connect(url, "assay-benchmark")
  const own = [schemas.assay, schemas.many]
    .map(Assay.environment)
    .flatMap(({ ledger, warehouse }) => [warehouse, ledger])
  // One at a time: all of them together would take more locks than a server has by default.
  for (const schema of [...own, schemas.floor]) yield* client.unsafe(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`).raw
}, Effect.scoped)

const open = Effect.fnUntraced(function* (
  graph: AssetGraph.AssetGraph<never>,
  options: { readonly url: string; readonly name: string; readonly isSerial: boolean }
) {
  // A run holds one connection for itself.
  const pool = options.isSerial ? { maxConnections: 2 } : {}
  const layer = Assay.layer(graph, Assay.environment(options.name)).pipe(
    Layer.provide(Database.layerUrl({ url: Redacted.make(options.url), ...pool }))
  )
  return Context.get(yield* Layer.build(layer), Assay.Assay)
})

const assetOf = (graph: AssetGraph.AssetGraph<never>, name: string) => {
  const asset = graph.assets.get(name)
  if (asset === undefined) throw new Error(`the graph has no ${name}`)
  return asset
}

const command = (given: ReadonlyArray<string>, options: { readonly folder: string; readonly url: string }) =>
  Effect.callback<void, Failed>((resume) => {
    const env = {
      ...process.env,
      DATABASE_URL: options.url,
      BILLING_EVENTS: options.folder,
      ASSAY_TARGET: schemas.assay
    }
    ChildProcess.execFile(
      process.execPath,
      [Path.join(import.meta.dirname, "../src/bin.ts"), ...given],
      { env },
      (error, out, err) => resume(error === null ? Effect.void : Effect.fail(new Failed({ message: `${out}\n${err}` })))
    )
  })
