import * as AssetGraph from "@assay/core/AssetGraph"
import * as Environment from "@assay/core/cli/Environment"
import { ExitCode, ofRun, Unsuccessful, UsageError } from "@assay/core/cli/ExitCode"
import * as Failure from "@assay/core/cli/Failure"
import { HostError } from "@assay/core/cli/Host"
import { OutputClosed } from "@assay/core/cli/Screen"
import * as Style from "@assay/core/cli/Style"
import type { AssetOutcome } from "@assay/core/execution/Runner"
import * as MaterializationError from "@assay/core/MaterializationError"
import { DatabaseError, type Reason } from "@assay/core/postgres/Database"
import { EmbeddedPostgresError, HomeUnusable, TimedOut } from "@assay/core/postgres/EmbeddedPostgresError"
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"

const outcome = (outcome: AssetOutcome["outcome"]): AssetOutcome => ({
  asset: "gold",
  outcome,
  steps: 1,
  units: 1,
  read: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  unchanged: 0,
  quarantined: 0,
  durationMs: 1,
  error: undefined,
  because: []
})

const codeOf = (error: unknown) => Failure.fromError(error, "pnpm assay").code

const database = (reason: Reason) => new DatabaseError({ reason, server: "db:5432/x", message: "cannot connect" })

describe("ExitCode", () => {
  it("is 0 when a run succeeded, 1 when nothing came out well, 3 when something did", () => {
    const code = (status: "succeeded" | "failed", ...outcomes: ReadonlyArray<AssetOutcome["outcome"]>) =>
      ofRun({ status, outcomes: outcomes.map(outcome) })
    assert.strictEqual(code("succeeded", "succeeded", "unchanged"), 0)
    assert.strictEqual(code("failed", "failed", "skipped"), 1)
    assert.strictEqual(code("failed", "failed", "succeeded"), 3)
    assert.strictEqual(code("failed", "unchanged", "failed", "skipped"), 3)
  })

  it("is 2 for what another command line or another setting would mend", () => {
    const graph = AssetGraph.make([])
    for (const error of [
      new UsageError({ message: "no such run" }),
      new Environment.InvalidSetting({ setting: "ASSAY_TARGET", message: "not a name" }),
      AssetGraph.unknownAsset(graph, "gold"),
      new HostError({ cause: new Environment.InvalidSetting({ setting: "BILLING_START", message: "not a day" }) }),
      database("InvalidUrl"),
      database("AuthenticationFailed"),
      database("DatabaseMissing"),
      new EmbeddedPostgresError({ home: "/x", reason: new HomeUnusable({ path: "/x", message: "read-only" }) })
    ]) {
      assert.strictEqual(codeOf(error), ExitCode.usage, error._tag)
    }
  })

  it("is 1 for what time or another person would mend", () => {
    for (const error of [
      database("Refused"),
      database("Unavailable"),
      database("UnknownHost"),
      new EmbeddedPostgresError({ home: "/x", reason: new TimedOut({ message: "too slow" }) }),
      new MaterializationError.Transient({ message: "connection lost", code: "08006" }),
      new Unsuccessful({ code: 1 }),
      new Error("bug")
    ]) {
      assert.strictEqual(codeOf(error), ExitCode.failed)
    }
  })

  it("is 3 or 0 where a command says so", () => {
    assert.strictEqual(codeOf(new Unsuccessful({ code: 3 })), ExitCode.partlyFailed)
    assert.strictEqual(codeOf(new OutputClosed()), ExitCode.done)
  })
})

describe("Failure", () => {
  const told = (error: unknown, url?: string) =>
    Failure.lines(Failure.fromError(error, "pnpm assay"), {
      style: Style.plain,
      width: 80,
      secrets: Failure.secretsOf(url === undefined ? undefined : Redacted.make(url))
    })

  it("says what to do next", () => {
    assert.deepStrictEqual(
      told(new MaterializationError.Transient({ message: "the connection was lost", code: undefined })),
      [
        "x The connection was lost",
        "  Run the same command again: what was committed stays, and only the rest is",
        "  done."
      ]
    )
  })

  it("keeps the spelling of a name at the beginning", () => {
    assert.deepStrictEqual(told(new UsageError({ message: "dim_customer has no partitions." })), [
      "x dim_customer has no partitions."
    ])
  })

  it("never shows a stack trace", () => {
    const lines = told(new TypeError("x is not a function"))
    assert.include(lines[0], "x is not a function")
    assert.isFalse(lines.some((line) => /\bat .*:\d+/.test(line)))
  })

  it("never shows the password, as written or as meant", () => {
    const url = "postgresql://user:s%40cret%2Fword@db:5432/x"
    const lines = told(new Error(`failed for ${url}, that is s@cret/word or s%40cret%2Fword`), url).join("\n")
    assert.notInclude(lines, "s@cret")
    assert.notInclude(lines, "s%40cret")
    assert.include(lines, "***")
  })

  it("stays silent where all has been said", () => {
    assert.deepStrictEqual([told(new Unsuccessful({ code: 1 })), told(new OutputClosed())], [[], []])
  })
})
