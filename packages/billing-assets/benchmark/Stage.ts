/**
 * What is measured, and against what? The stages of a billing warehouse in the order in which they happen, each by Assay
 * and by the floor, with the aim that it has.
 */
import type { Cost } from "./Meter.ts"

/** A stage that was measured. */
export interface Stage {
  readonly name: Name
  readonly what: string
  /** Rows that go in, where that says something. */
  readonly rows: number | null
  readonly assay: Cost
  /** Null where there is nothing to do by hand. */
  readonly floor: Cost | null
  /** How often it was measured; the figures are medians. */
  readonly times: number
  readonly aim: Aim | null
}

/** An aim and what became of it. */
export interface Aim {
  readonly text: string
  readonly isMet: boolean
}

/** The stages by name; the groups are what `--only` knows. */
export type Name =
  | "landing"
  | "silver"
  | "dim"
  | "gold"
  | "mart_revenue"
  | "mart_mrr"
  | "full"
  | "late_small"
  | "late_large"
  | "late_row"
  | "noop"
  | "noop_100"
  | "overhead"
  | "cli_help"
  | "cli_noop"

/** What can be asked for; without `base` nothing that comes after it can be measured, so it is always done. */
export const parts = ["base", "late", "noop", "cli"] as const

/** The computed assets in the order of the graph, with the floor's files and the columns that are compared. */
export const builds: ReadonlyArray<{
  readonly name: Name
  readonly asset: string
  readonly files: ReadonlyArray<string>
}> = [
  { name: "silver", asset: "silver_events", files: ["silver.sql"] },
  { name: "dim", asset: "dim_customer", files: ["dim.sql"] },
  { name: "gold", asset: "gold_revenue", files: ["gold.sql"] },
  { name: "mart_revenue", asset: "mart_revenue_monthly", files: ["mart_revenue.sql"] },
  { name: "mart_mrr", asset: "mart_mrr_monthly", files: ["mart_mrr.sql"] }
]

/** The floor of a late batch behind its landing. */
export const lateFiles = [
  "late_silver.sql",
  "late_dim.sql",
  "late_gold.sql",
  "late_mart_revenue.sql",
  "late_mart_mrr.sql"
]

/** How many times the floor's time it took. */
export const ratio = ({ assay, floor }: Pick<Stage, "assay" | "floor">): number | null =>
  floor === null || floor.ms === 0 ? null : assay.ms / floor.ms

/** Rows in a second. */
export const rate = ({ assay, rows }: Pick<Stage, "assay" | "rows">): number | null =>
  rows === null || rows < 2 ? null : (rows * 1000) / assay.ms

/** That the time is at most so many times the floor's. */
export const withinFloor = (assay: Cost, floor: Cost, times: number): Aim => ({
  text: `≤ ${times} × floor`,
  isMet: assay.ms <= floor.ms * times
})

/** That the time is at most so many milliseconds. */
export const within = (assay: Cost, ms: number): Aim => ({ text: `≤ ${ms} ms`, isMet: assay.ms <= ms })

/** Several aims as one. */
export const every = (...aims: ReadonlyArray<Aim>): Aim => ({
  text: aims.map(({ text }) => text).join(", "),
  isMet: aims.every(({ isMet }) => isMet)
})
