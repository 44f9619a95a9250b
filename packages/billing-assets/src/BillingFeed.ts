/**
 * How is the billing feed read from files? By the rules of `BillingEvent`, wherever `BILLING_EVENTS` points.
 */
import type { Source } from "@assay/core/Source"
import * as FileSource from "@assay/core/source/FileSource"
import * as BillingEvent from "./BillingEvent.ts"

/**
 * The feed in a file, a folder or the files of a glob.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (path: string): Source<BillingEvent.Landed> =>
  FileSource.make({
    path,
    setting: "BILLING_EVENTS",
    required: BillingEvent.requiredColumns,
    columns: [...BillingEvent.requiredColumns, ...BillingEvent.optionalColumns],
    admit: BillingEvent.admit,
    knownBy: ["_file", "_hash"]
  })
