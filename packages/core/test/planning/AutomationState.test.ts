import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import * as AutomationState from "@assay/core/planning/AutomationState"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"

/** Quarters of an hour, around the hour that New York has twice on 3 November. */
const quarters = Partitions.cron("*/15 * * * *", {
  start: "2024-11-03-00:45",
  end: "2024-11-03-02:15",
  timeZone: "America/New_York"
})

const asset = Asset.make("quarters", {
  description: "Quarters of an hour",
  columns: Schema.Struct({ at: Column.timestamp }),
  partitions: quarters,
  inputs: {},
  write: WriteStrategy.replacePartitions("at", { key: ["at"] }),
  compute: { sql: () => sql`SELECT now() AS at WHERE FALSE` }
})

/** The stale quarters when everything was built and a range of the stale set begins at a bound. */
const staleFrom = (from: string) => {
  const known = AutomationState.learn(
    asset,
    {
      codeVersion: asset.codeVersion,
      ranges: [{ from, version: "1", cause: { _tag: "Upstream", asset: "events" } }],
      marks: [],
      failures: [],
      remembered: undefined,
      built: Array.from(PartitionSet.keys(PartitionSet.all(quarters)), (unit) => ({ unit, isUpdated: false }))
    },
    { before: undefined, units: undefined }
  )
  const { stale } = AutomationState.make(known, {
    now: Date.parse("2024-11-04T00:00:00Z"),
    deliveries: undefined,
    inProgress: PartitionSet.empty(quarters)
  })
  return Array.from(PartitionSet.keys(stale), (key) => key.slice(11))
}

describe("the state that conditions ask about", () => {
  it("holds of a range all that the ledger's comparison of keys does, also in a repeated hour (Verifies: L2)", () => {
    // The least of the keys from the first 01:30 on is that of the second 01:00: the ledger keeps it as the bound.
    assert.includeMembers(staleFrom("2024-11-03-01:00-0500"), [
      "01:30",
      "01:45",
      "01:00-0500",
      "01:15-0500",
      "01:30-0500",
      "01:45-0500",
      "02:00"
    ])
    assert.notIncludeMembers(staleFrom("2024-11-03-01:00-0500"), ["00:45", "01:00"])
  })

  it("holds of a range nothing before a bound that is no key any more", () => {
    assert.deepStrictEqual(staleFrom("2024-11-03-01:50"), ["02:00"])
  })
})
