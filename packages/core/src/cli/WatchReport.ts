/**
 * What a daemon tells, in lines for people: one for each request with its why, one for each run that ends, and one for
 * whatever needs attention. Nothing is said as long as nothing happens.
 */
import type { WatchEvent } from "../execution/Watcher.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as Quantity from "./Quantity.ts"
import type { Style } from "./Style.ts"

/**
 * The lines of an event.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (event: WatchEvent, { style }: { readonly style: Style }): ReadonlyArray<string> => {
  const { symbols } = style
  switch (event._tag) {
    case "Watching":
      return [`watching ${Quantity.count(event.assets, "asset")}`]
    case "Requested":
      return [
        ...event.requested.map(
          ({ asset, because, deliveries, units }) =>
            `${style.bold(asset)} ${what(units, deliveries.length)} ${style.dim(style.words(`· ${because.join(", ")}`))}`
        ),
        ...(event.follows.length === 0 ? [] : [style.dim(`then what follows of ${some(event.follows)}`)])
      ]
    case "Finished": {
      const { outcomes, runId } = event.result
      const rows = outcomes.reduce((sum, { deleted, inserted, updated }) => sum + inserted + updated + deleted, 0)
      const failed = outcomes.filter(({ outcome }) => outcome === "failed")
      const skipped = outcomes.flatMap(({ asset, outcome }) => (outcome === "skipped" ? [asset] : []))
      const head = `${runId ?? "run"} ${Quantity.count(rows, "row")} changed in ${Quantity.duration(event.durationMs)}`
      return [
        `${failed.length === 0 ? symbols.done : symbols.failed} ${head}`,
        ...failed.map(
          ({ asset, error }) =>
            `${symbols.failed} ${asset} failed: ${error?.reason.message ?? "unknown"}; ${
              error?.isRetryable === true ? "tried again in a while" : "tried again when something changes"
            }`
        ),
        ...(skipped.length === 0 ? [] : [`${symbols.skipped} ${some(skipped)} skipped`])
      ]
    }
    case "Broken":
      return [`${symbols.failed} ${event.runId} broke off: ${event.reason?.message ?? "the engine failed"}`]
    case "Held":
      return [
        `${symbols.warning} ${event.asset} ${PartitionSet.format(event.units, { limit: 4 })} changed after closing; ` +
          "built when it is asked for"
      ]
    case "Superseded":
      return [
        `${symbols.warning} ${some(event.assets)} left to another process, whose definition is another; ` +
          "start this one again with the current code"
      ]
    case "SourceFailed":
      return [`${symbols.failed} ${event.asset} cannot be asked what it has: ${event.reason.message}`]
    case "Unreachable":
      return [`${symbols.warning} the database is away: ${event.reason.message}`]
    case "Reached":
      return ["the database is back"]
    case "Stopping":
      return [`stopping: ${Quantity.count(event.runs, "run")} to finish the step at work`]
  }
}

// --- internal ---

const what = (units: PartitionSet.PartitionSet, deliveries: number): string =>
  deliveries > 0
    ? Quantity.count(deliveries, "delivery")
    : units.partitions._tag === "Unpartitioned"
      ? "what is due"
      : PartitionSet.format(units, { limit: 4 })

const some = (names: ReadonlyArray<string>): string =>
  names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
