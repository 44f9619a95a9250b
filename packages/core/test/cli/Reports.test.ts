import type { Report } from "@assay/core/Assay"
import * as AssetLabels from "@assay/core/AssetLabels"
import * as PlanReport from "@assay/core/cli/PlanReport"
import * as QuarantineCommand from "@assay/core/cli/QuarantineCommand"
import * as RunsCommand from "@assay/core/cli/RunsCommand"
import * as StatusCommand from "@assay/core/cli/StatusCommand"
import * as Style from "@assay/core/cli/Style"
import * as VerifyCommand from "@assay/core/cli/VerifyCommand"
import type { Verdict } from "@assay/core/execution/Verifier"
import type { QuarantinedRow } from "@assay/core/ledger/Quarantine"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import type { Plan } from "@assay/core/planning/Plan"
import type { RunRecord, StepRecord } from "@assay/core/Run"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Result } from "effect"

const at = (time: string) => DateTime.makeUnsafe(`2024-05-20T${time}Z`)
const now = at("12:00:00")
const look = { style: Style.plain, width: 80 }

const step: StepRecord = {
  runId: "20240520-101530-3f9a2c",
  index: 0,
  asset: "gold_revenue",
  status: "succeeded",
  kind: "build",
  attempts: 1,
  units: 31,
  rowsRead: 100,
  rowsInserted: 60,
  rowsUpdated: 30,
  rowsDeleted: 2,
  rowsUnchanged: 0,
  rowsQuarantined: 0,
  durationMs: 1234,
  error: undefined,
  reason: undefined,
  why: "31 days of 31, because silver_events changed",
  codeVersion: "1",
  startedAt: at("10:15:30"),
  finishedAt: at("10:15:31")
}

const run: RunRecord = {
  runId: step.runId,
  status: "succeeded",
  assets: ["gold_revenue"],
  partitions: "2024-03",
  requestedBy: "ada@laptop",
  why: "assay materialize --partitions 2024-03",
  startedAt: at("10:15:30"),
  heartbeatAt: at("10:15:31"),
  finishedAt: at("10:15:32"),
  error: undefined
}

describe("status", () => {
  const report: Report = {
    asset: "gold_revenue",
    description: "",
    labels: AssetLabels.make({ group: "finance" }),
    kind: "partitioned",
    isBuilt: true,
    whole: undefined,
    existing: 1056,
    built: 1050,
    stale: 31,
    missing: 6,
    failed: 0,
    rows: 12_345,
    quarantined: 0,
    outside: 7,
    lastStep: step,
    lastLandingAt: undefined
  }

  it("counts units, rows and what happened last, and notes what a number alone does not say", () => {
    const source: Report = {
      ...report,
      asset: "bronze_events",
      kind: "source",
      quarantined: 17,
      outside: 0,
      lastLandingAt: at("11:58:00")
    }
    const customers: Report = {
      ...report,
      asset: "dim_customer",
      kind: "keyed",
      stale: 0,
      missing: 0,
      outside: 0,
      whole: "its definition changed"
    }
    const months: Report = {
      ...report,
      asset: "mart_mrr",
      isBuilt: false,
      built: 0,
      stale: 0,
      missing: 1056,
      outside: 0,
      rows: 0,
      whole: "never built",
      lastStep: undefined
    }
    const failed: Report = {
      ...report,
      asset: "mart_bad",
      outside: 0,
      failed: 37,
      lastStep: { ...step, status: "failed", error: "check\n failed" }
    }
    assert.deepStrictEqual(
      StatusCommand.lines([source, customers, report, months, failed], { ...look, now, call: "pnpm assay" }),
      [
        "asset                built  stale  missing  failed    rows  last run",
        "bronze_events            -      -        -       -  12,345  1 h ago",
        "dim_customer           yes    all        0       0  12,345  1 h ago",
        "gold_revenue   1,050/1,056     31        6       0  12,345  1 h ago",
        "mart_mrr           0/1,056      0    1,056       0       0  never",
        "mart_bad       1,050/1,056     31        6      37  12,345  1 h ago, failed",
        "",
        "bronze_events: last landing 2024-05-20 11:58:00 UTC (2 min ago)",
        "bronze_events: 17 rows in quarantine: pnpm assay quarantine",
        "dim_customer: stale as a whole: its definition changed",
        "gold_revenue: 7 rows upstream before its first partition",
        "mart_bad: failed: check\\n failed"
      ]
    )
  })
})

describe("runs", () => {
  it("lists runs with their steps by state", () => {
    const summaries = [
      {
        run: { ...run, status: "running" as const, finishedAt: undefined },
        steps: { running: 1, succeeded: 2, failed: 0, skipped: 0, cancelled: 0 }
      },
      { run, steps: { running: 0, succeeded: 4, failed: 1, skipped: 2, cancelled: 0 } }
    ]
    assert.deepStrictEqual(RunsCommand.lines(summaries, { ...look, width: 120, now }), [
      "run                     status     started   took                   steps  why",
      "20240520-101530-3f9a2c  running    1 h ago                   2, 1 running  assay materialize --partitions 2024-03",
      "20240520-101530-3f9a2c  succeeded  1 h ago  2.0 s  4, 1 failed, 2 skipped  assay materialize --partitions 2024-03"
    ])
  })

  it("shows one run with its steps and why one failed", () => {
    const failed: StepRecord = {
      ...step,
      index: 1,
      status: "failed",
      attempts: 3,
      reason: "Transient",
      error: "the connection was lost"
    }
    assert.deepStrictEqual(RunsCommand.runLines({ ...run, status: "failed" }, [step, failed], { ...look, width: 90 }), [
      "run         20240520-101530-3f9a2c",
      "status      failed",
      "started     2024-05-20 10:15:30 UTC",
      "took        2.0 s",
      "by          ada@laptop",
      "why         assay materialize --partitions 2024-03",
      "partitions  2024-03",
      "",
      "#  asset         status      units  changed   took  why",
      "1  gold_revenue  succeeded      31       92  1.2 s  31 days of 31, because silver_event...",
      "2  gold_revenue  failed (3)     31       92  1.2 s  31 days of 31, because silver_event...",
      "",
      "step 2, gold_revenue, failed (Transient): the connection was lost"
    ])
  })

  it("says why a run without a failed step ended", () => {
    const lines = RunsCommand.runLines({ ...run, status: "cancelled", error: "interrupted" }, [], look)
    assert.deepStrictEqual(lines.slice(-3), ["No step was finished.", "", "interrupted"])
  })
})

describe("quarantine", () => {
  const row: QuarantinedRow = {
    id: "12",
    asset: "bronze_events",
    origin: "billing-2024-03.csv",
    line: 1045,
    raw: `evt_1,cus_1,invoice_paid,"12,50",EUR,${"x".repeat(100)}`,
    reasons: [
      'amount: "12,50" is not a decimal (expected at most 16 digits before and 4 after the point)',
      "event_ts: is missing"
    ],
    context: {},
    runId: "20240520-101530-3f9a2c",
    quarantinedAt: at("10:15:30"),
    retriedAt: undefined,
    releasedAt: undefined,
    releasedBy: undefined
  }

  it("lists rows with file, line, every reason and the text", () => {
    assert.deepStrictEqual(QuarantineCommand.lines([row], look), [
      "#12  billing-2024-03.csv:1045  bronze_events",
      '    amount: "12,50" is not a decimal (expected at most 16 digits before and 4',
      "      after the point)",
      "    event_ts: is missing",
      `    evt_1,cus_1,invoice_paid,"12,50",EUR,${"x".repeat(36)}...`
    ])
  })

  it("shows one row in full", () => {
    const released = {
      ...row,
      retriedAt: at("11:00:00"),
      releasedAt: at("11:30:00"),
      releasedBy: "20240520-113000-aaaaaa"
    }
    assert.deepStrictEqual(QuarantineCommand.rowLines(released, { ...look, width: 200 }), [
      "row       #12",
      "asset     bronze_events",
      "file      billing-2024-03.csv",
      "line      1,045",
      "rejected  2024-05-20 10:15:30 UTC, by run 20240520-101530-3f9a2c",
      "retried   2024-05-20 11:00:00 UTC, in vain",
      "landed    2024-05-20 11:30:00 UTC, by run 20240520-113000-aaaaaa",
      "",
      "reasons",
      '  amount: "12,50" is not a decimal (expected at most 16 digits before and 4 after the point)',
      "  event_ts: is missing",
      "",
      "text",
      `  ${row.raw}`
    ])
  })
})

describe("verify", () => {
  const verdict = (asset: string, more: Partial<Verdict> = {}): Verdict => ({
    asset,
    isOk: true,
    compared: "units",
    stale: 0,
    missing: 0,
    difference: { missing: 0, unexpected: 0, examples: [] },
    ...more
  })
  const lines = (verdicts: ReadonlyArray<Verdict>, isStrict = false) =>
    VerifyCommand.lines(verdicts, { ...look, width: 100, isStrict, call: "pnpm assay" })

  it("says that everything equals its recompute", () => {
    assert.deepStrictEqual(lines([verdict("silver_events"), verdict("gold_revenue", { stale: 3 })]), [
      "asset          result  compared  stale  missing  lacking  extra",
      "silver_events  + ok    units         0        0        0      0",
      "gold_revenue   + ok    units         3        0        0      0",
      "",
      "Every fresh unit equals its recompute."
    ])
    assert.strictEqual(
      lines([verdict("gold_revenue", { compared: "everything" })], true).at(-1),
      "Every table equals a full refresh."
    )
  })

  it("shows where a table differs and how to mend it", () => {
    const different = verdict("gold_revenue", {
      isOk: false,
      difference: { missing: 1, unexpected: 2, examples: ['{"a":1}'] }
    })
    assert.deepStrictEqual(lines([verdict("silver_events"), different]).slice(2), [
      "gold_revenue   x differs  units         0        0        1      2",
      "",
      "gold_revenue, for example:",
      '  {"a":1}',
      "",
      "1 of 2 assets differs from its recompute.",
      "Next: pnpm assay materialize --asset gold_revenue --force"
    ])
  })

  it("tells what is only not up to date from what is wrong", () => {
    const due = verdict("gold_revenue", { isOk: false, compared: "everything", stale: 2 })
    assert.deepStrictEqual(lines([due], true).slice(-2), [
      "1 of 1 asset is not up to date; what is there is right.",
      "Next: pnpm assay materialize, and verify again"
    ])
    const behind = verdict("mart_mrr", {
      isOk: false,
      compared: "everything",
      difference: { missing: 1, unexpected: 0, examples: [] }
    })
    assert.deepStrictEqual(lines([due, behind], true).slice(-2), [
      "1 of 2 assets differs from a full refresh, but not everything is up to date.",
      "Next: pnpm assay materialize, and verify again"
    ])
  })

  it("claims nothing where nothing was compared", () => {
    assert.strictEqual(
      lines([verdict("gold_revenue", { compared: "nothing" })]).at(-1),
      "Nothing is fresh, so there was nothing to compare."
    )
    assert.deepStrictEqual(lines([]), ["There is nothing to compare: sources and views are not built."])
  })
})

describe("plan", () => {
  const days = Partitions.daily({ start: "2024-03-01" })
  const some = Result.getOrThrow(PartitionSet.fromKeys(days, ["2024-03-01", "2024-03-02", "2024-03-05"]))
  const plan: Plan = {
    steps: [
      {
        _tag: "Land",
        asset: "bronze_events",
        deliveries: ["a", "b", "c", "d", "e", "f", "g"].map((name) => ({
          origin: `${name}.csv`,
          description: `${name}.csv: new file`,
          bytes: 9,
          after: undefined
        })),
        why: [{ _tag: "NewRows", deliveries: 7 }],
        rows: 12
      },
      {
        _tag: "Build",
        asset: "gold_revenue",
        units: 3,
        unitName: "day",
        isWhole: false,
        isForced: false,
        partitions: some,
        existing: 5,
        incomplete: undefined,
        waiting: undefined,
        why: [{ _tag: "UpstreamChanged", upstream: "silver_events", units: 3 }],
        rows: undefined
      }
    ],
    upToDate: ["dim_customer"],
    isRehearsed: true
  }

  it("says each step with its reason, within the terminal", () => {
    assert.deepStrictEqual(PlanReport.lines(plan, { ...look, width: 70 }), [
      "  1. bronze_events  land 7 deliveries (12 new rows)",
      "                    a.csv: new file",
      "                    b.csv: new file",
      "                    c.csv: new file",
      "                    d.csv: new file",
      "                    e.csv: new file",
      "                    ... and 2 more",
      "  2. gold_revenue   3 days of 5 (2024-03-01..2024-03-02, 2024-03-05),",
      "                    because silver_events changed",
      "",
      "Up to date: dim_customer."
    ])
  })

  it("is a document for scripts", () => {
    const { steps, ...rest } = PlanReport.document(plan, "dev")
    assert.deepStrictEqual(rest, { target: "dev", isExact: true, upToDate: ["dim_customer"], failure: null })
    assert.deepStrictEqual(steps[1], {
      asset: "gold_revenue",
      action: "build",
      units: 3,
      unit: "day",
      isWhole: false,
      partitions: "2024-03-01..2024-03-02, 2024-03-05",
      incomplete: null,
      waiting: null,
      waitingFor: [],
      rows: null,
      why: ["silver_events changed"],
      deliveries: []
    })
    assert.deepInclude(steps[0], { action: "land", units: 7, rows: 12, why: ["new rows"] })
  })
})
