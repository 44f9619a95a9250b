/**
 * Which rows did the feed ever deliver? A log to which rows are only added: the one source of truth, of whose set of
 * rows everything downstream is a pure function.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as Column from "@assay/core/Column"
import type { Source } from "@assay/core/Source"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"
import * as BillingEvent from "./BillingEvent.ts"
import * as BillingRetry from "./BillingRetry.ts"
import * as EventType from "./EventType.ts"

/**
 * The columns of `bronze_events`.
 *
 * @category columns
 * @since 0.1.0
 */
export const columns = Schema.Struct({
  ...BillingEvent.landedFields,
  _batch: Column.text.annotate({ description: "The landing that brought the row" }),
  _loaded_at: Column.timestamp.annotate({ description: "When that landing was" })
})

/**
 * A row of `bronze_events`.
 *
 * @category models
 * @since 0.1.0
 */
export type Row = (typeof columns)["Type"]

/**
 * The log of everything that a source ever delivered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <R = never>(source: Source<BillingEvent.Landed, R>): Asset.Asset<"bronze_events", Row, R, never> =>
  Asset.source("bronze_events", {
    description: "Every valid row of the billing feed as it was delivered; append-only",
    labels: {
      group: "events",
      tier: "bronze",
      owners: ["billing-platform"],
      kinds: ["files"],
      tags: { domain: "billing", pii: "" }
    },
    columns,
    write: WriteStrategy.append({ key: ["_batch", "_file", "_line"], batch: "_batch", loadedAt: "_loaded_at" }),
    policy: BillingRetry.policy,
    checks: [
      AssetCheck.notNull("event_id", "customer_id", "event_type", "event_ts", "updated_at", "_hash"),
      AssetCheck.unique("_batch", "_file", "_line"),
      AssetCheck.acceptedValues("event_type", EventType.all),
      AssetCheck.acceptedValues("op", ["upsert", "delete"])
    ],
    source
  })
