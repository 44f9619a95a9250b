import * as Board from "@assay/core/cli/Board"
import * as LiveProgress from "@assay/core/cli/LiveProgress"
import * as RunReport from "@assay/core/cli/RunReport"
import * as Screen from "@assay/core/cli/Screen"
import * as Style from "@assay/core/cli/Style"
import type { Progress } from "@assay/core/execution/Progress"
import type { AssetOutcome, RunResult } from "@assay/core/execution/Runner"
import { MaterializationError, SchemaMismatch } from "@assay/core/MaterializationError"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { PlanStep } from "@assay/core/planning/Plan"
import type { Written } from "@assay/core/warehouse/Warehouse"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { TestClock } from "effect/testing"

const days = Partitions.daily({ start: "2024-01-01" })
const march = Result.getOrThrow(PartitionSet.fromKeys(days, ["2024-03-01", "2024-03-02"]))
const running = Result.getOrThrow(PartitionSet.fromKeys(days, ["2024-03-02"]))

const land: PlanStep = {
  _tag: "Land",
  asset: "bronze_events",
  deliveries: ["a.csv", "b.csv"].map((origin) => ({
    origin,
    description: `${origin}: new file`,
    bytes: 10,
    after: undefined
  })),
  why: [{ _tag: "NewRows", deliveries: 2 }],
  rows: undefined
}

const build: PlanStep = {
  _tag: "Build",
  asset: "gold_revenue",
  units: 2,
  unitName: "day",
  isWhole: false,
  isForced: false,
  partitions: march,
  existing: 2,
  incomplete: running,
  waiting: undefined,
  why: [
    { _tag: "NeverBuilt", units: 1 },
    { _tag: "UpstreamChanged", upstream: "silver_events", units: 1 }
  ],
  rows: undefined
}

const written = (inserted: number): Written => ({
  read: inserted,
  inserted,
  updated: 0,
  deleted: 0,
  unchanged: 0,
  change: "rows"
})

const told: ReadonlyArray<readonly [number, Progress]> = [
  [0, { _tag: "AssetStarted", asset: "bronze_events", step: land }],
  [100, { _tag: "Landed", asset: "bronze_events", rows: 5000, quarantined: 3 }],
  [1000, { _tag: "Delivered", asset: "bronze_events", origin: "a.csv" }],
  [1500, { _tag: "Warned", asset: "bronze_events", message: 'unknown columns "a\nb"' }],
  [1600, { _tag: "Warned", asset: "bronze_events", message: 'unknown columns "a\nb"' }],
  [1900, { _tag: "Landed", asset: "bronze_events", rows: 1234, quarantined: 0 }],
  [2000, { _tag: "Delivered", asset: "bronze_events", origin: "b.csv" }],
  [2000, { _tag: "AssetDone", asset: "bronze_events", outcome: "succeeded", message: undefined }],
  [2000, { _tag: "AssetDone", asset: "silver_events", outcome: "unchanged", message: undefined }],
  [2000, { _tag: "AssetStarted", asset: "gold_revenue", step: build }],
  [2300, { _tag: "StepDone", asset: "gold_revenue", units: 1, written: written(20) }],
  [2400, { _tag: "StepDone", asset: "gold_revenue", units: 1, written: written(0) }],
  [2450, { _tag: "AssetDone", asset: "gold_revenue", outcome: "succeeded", message: undefined }]
]

const boardAt = (time: number) =>
  told.filter(([at]) => at <= time).reduce((board, [at, progress]) => Board.after(board, progress, at), Board.empty)

const laneAt = (time: number, asset: string) => {
  const lane = boardAt(time).lanes.get(asset)
  assert.isDefined(lane)
  return lane
}

const layout = { style: Style.plain, width: 80, nameWidth: 20 }

const outcome = (asset: string, more: Partial<AssetOutcome>): AssetOutcome => ({
  asset,
  outcome: "succeeded",
  steps: 0,
  units: 0,
  read: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  unchanged: 0,
  quarantined: 0,
  durationMs: 0,
  error: undefined,
  because: [],
  ...more
})

const summary = (result: RunResult, board: Board.Board) =>
  RunReport.summary({ result, board, layout, durationMs: 2450, call: "pnpm assay", partitions: "2024-03" })

describe("Board", () => {
  it("knows what is running and what is done", () => {
    assert.deepStrictEqual(
      Board.running(boardAt(1000)).map(({ asset }) => asset),
      ["bronze_events"]
    )
    assert.deepStrictEqual(Board.running(boardAt(2450)), [])
    assert.include(laneAt(2450, "bronze_events"), { rows: 6234, quarantined: 3, done: 2, total: 2, endedAt: 2000 })
  })

  it("keeps each warning once", () => {
    assert.strictEqual(boardAt(2450).warnings.length, 1)
  })

  it("guesses the time left from the units that are done", () => {
    assert.isUndefined(Board.remaining(laneAt(900, "bronze_events"), 900))
    assert.strictEqual(Board.remaining(laneAt(1500, "bronze_events"), 1500), 1500)
  })
})

describe("RunReport", () => {
  it("tells what was done to an asset, why, how many rows changed and how long it took", () => {
    assert.deepStrictEqual(RunReport.ended(laneAt(2450, "bronze_events"), layout), [
      "+ bronze_events         2 deliveries, 3 rejected            6,234 rows     2.0 s"
    ])
    assert.deepStrictEqual(RunReport.ended(laneAt(2450, "gold_revenue"), layout), [
      "+ gold_revenue          2 days: never built, silver...         20 rows    450 ms"
    ])
    assert.deepStrictEqual(RunReport.ended(laneAt(2450, "silver_events"), layout), [
      "= silver_events         up to date"
    ])
  })

  it("tells why an asset failed or was skipped", () => {
    const lane = {
      ...laneAt(2450, "bronze_events"),
      outcome: "failed" as const,
      message: "b.csv lacks the columns amount and currency, which every billing feed has"
    }
    assert.deepStrictEqual(RunReport.ended(lane, layout), [
      "x bronze_events         2 deliveries, 3 rejected            6,234 rows     2.0 s",
      "  b.csv lacks the columns amount and currency, which every billing feed has"
    ])
    const skipped = Board.after(
      Board.empty,
      { _tag: "AssetDone", asset: "gold_revenue", outcome: "skipped", message: "silver_events did not succeed" },
      0
    ).lanes.get("gold_revenue")
    assert.isDefined(skipped)
    assert.deepStrictEqual(RunReport.ended(skipped, layout), [
      "- gold_revenue          skipped: silver_events did not succeed"
    ])
  })

  it("sums up a run, with what to look at and what to do next", () => {
    const result: RunResult = {
      runId: "20240302-101530-3f9a2c",
      status: "succeeded",
      steps: 4,
      outcomes: [
        outcome("bronze_events", { steps: 2, units: 2, inserted: 6234, quarantined: 3 }),
        outcome("silver_events", { outcome: "unchanged" }),
        outcome("gold_revenue", { steps: 2, units: 2, inserted: 20, deleted: 1200 })
      ]
    }
    assert.deepStrictEqual(summary(result, boardAt(2450)), [
      "asset                 units  inserted  updated  deleted  quarantined",
      "bronze_events  2 deliveries     6,234        0        0            3",
      "gold_revenue         2 days        20        0    1,200",
      "",
      "! 3 rows went to quarantine, with reasons: pnpm assay quarantine",
      "! Incomplete, for the window has not ended: gold_revenue 2024-03-02 (running",
      "  day)",
      "",
      "Run 20240302-101530-3f9a2c succeeded in 2.5 s: 4 steps.",
      "Next: pnpm assay show gold_revenue --partitions 2024-03",
      "      pnpm assay status"
    ])
  })

  it("says so when nothing was due", () => {
    const result: RunResult = {
      runId: undefined,
      status: "succeeded",
      steps: 0,
      outcomes: [outcome("silver_events", { outcome: "unchanged" })]
    }
    assert.deepStrictEqual(summary(result, Board.empty), ["Everything is up to date: 0 steps."])
  })

  it("points to the steps of a run that failed", () => {
    const error = new MaterializationError({
      asset: "bronze_events",
      reason: new SchemaMismatch({ message: "no amount" })
    })
    const result: RunResult = {
      runId: "20240302-101530-3f9a2c",
      status: "failed",
      steps: 0,
      outcomes: [outcome("bronze_events", { outcome: "failed", error })]
    }
    assert.deepStrictEqual(summary(result, Board.empty), [
      "Run 20240302-101530-3f9a2c failed in 2.5 s: 0 steps.",
      "Next: pnpm assay runs show 20240302-101530-3f9a2c",
      "      pnpm assay status"
    ])
  })

  it("says what an interrupted run keeps", () => {
    const options = { call: "pnpm assay", style: Style.plain, width: 80 }
    assert.deepStrictEqual(RunReport.interrupted(boardAt(1000), options), [
      "! Interrupted, and kept what was finished: bronze_events (1 delivery, 5,000",
      "  rows).",
      "  Run the same command again to do the rest. See the runs: pnpm assay runs"
    ])
    assert.strictEqual(RunReport.interrupted(Board.empty, options)[0], "! Interrupted, before anything was written.")
  })
})

describe("LiveProgress", () => {
  const at = (now: number, width: number) =>
    LiveProgress.bar(laneAt(now, "bronze_events"), {
      ...layout,
      width,
      now,
      style: Style.make({ canColor: false, isUnicode: true })
    })

  it("shows bar, units, speed, time spent and time left, within the terminal", () => {
    assert.strictEqual(at(1900, 80), "⠏ bronze_events         ━━━━──── 1/2 deliveries  3.3k rows/s  1.9 s  1.9 s left")
  })

  it("leaves out what does not fit, the speed first, instead of cutting it", () => {
    const words = [
      "1/2 deliveries  1.9 s left",
      "1/2 deliveries  1.9 s  1.9 s left",
      "1/2 deliveries  3.3k rows/s  1.9 s  1.9 s left"
    ]
    for (let width = 60; width <= 120; width++) {
      const line = at(1900, width)
      assert.isAtMost(line.length, width, line)
      assert.isTrue(
        words.some((text) => line.endsWith(`─ ${text}`)),
        `${width}: ${line}`
      )
    }
    assert.isTrue(at(1900, 40).endsWith("…"))
  })

  it("redraws the bars below the lines of what is done, and takes them away", () =>
    Effect.gen(function* () {
      const { output, shown } = record({ isTerminal: true })
      const live = yield* LiveProgress.make({
        output,
        notices: Screen.notices(() => undefined),
        nameWidth: 20,
        isQuiet: false
      })
      yield* live.listen({ _tag: "AssetStarted", asset: "bronze_events", step: land })
      yield* TestClock.adjust(250)
      yield* live.listen({ _tag: "AssetDone", asset: "bronze_events", outcome: "succeeded", message: undefined })
      yield* live.close
      yield* TestClock.adjust(1000)
      const [first = "", second = "", done = "", last = "", ...more] = shown()
      assert.isTrue(first.startsWith("\u001B[?25l\r"))
      assert.match(first, /bronze_events .* 0\/2 deliveries .*\n$/)
      assert.isTrue(second.startsWith("\u001B[?25l\r\u001B[1A\u001B[0J"))
      assert.isTrue(
        done.endsWith(
          "\u001B[1A\u001B[0J+ bronze_events         2 deliveries                         no change    250 ms\n"
        )
      )
      assert.strictEqual(last, "\r\u001B[?25h")
      assert.deepStrictEqual(more, [])
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise))

  it("keeps log lines apart from the bars, and secrets out of them", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const notices = Screen.notices((line) => logged.push(line))
      notices.hide(["s3cret"])
      const { output, shown } = record({ isTerminal: true })
      const live = yield* LiveProgress.make({ output, notices, nameWidth: 20, isQuiet: false })
      yield* live.listen({ _tag: "AssetStarted", asset: "bronze_events", step: land })
      notices.tell("warn: slow with s3cret")
      yield* TestClock.adjust(100)
      assert.match(shown().at(-1) ?? "", /warn: slow with \*\*\*\n.* bronze_events/)
      notices.tell("warn: last")
      yield* live.close
      assert.isTrue(shown().at(-1)?.endsWith("\u001B[0Jwarn: last\n\u001B[?25h"))
      notices.tell("warn: after")
      assert.deepStrictEqual(logged, ["warn: after"])
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise))

  it("writes plain lines where there is no terminal, and a sign of life every ten seconds", () =>
    Effect.gen(function* () {
      const { output, shown } = record({ isTerminal: false })
      const live = yield* LiveProgress.make({
        output,
        notices: Screen.notices(() => undefined),
        nameWidth: 20,
        isQuiet: false
      })
      for (const [, progress] of told.slice(0, 5)) yield* live.listen(progress)
      yield* TestClock.adjust(10_000)
      yield* live.listen({ _tag: "AssetDone", asset: "bronze_events", outcome: "failed", message: "gone" })
      assert.deepStrictEqual(shown(), [
        '! bronze_events: unknown columns "a\\nb"\n',
        "  bronze_events: 1 of 2 deliveries, 5,000 rows, 10 s so far\n",
        "x bronze_events         2 deliveries, 3 rejected                                      5,000 rows      10 s\n  gone\n"
      ])
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise))
})

const record = ({ isTerminal }: { readonly isTerminal: boolean }) => {
  const texts: Array<string> = []
  const output: Screen.Output = {
    isTerminal,
    columns: Effect.succeed(isTerminal ? 80 : Number.MAX_SAFE_INTEGER),
    style: Style.plain,
    write: (text) => Effect.sync(() => void (text === "" ? undefined : texts.push(text)))
  }
  return { output, shown: () => texts }
}
