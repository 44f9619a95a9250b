/**
 * The billing warehouse as a command line: its graph, made from the settings when a command needs it, and what is
 * billing's own beside the commands of core.
 */
import * as Cli from "@assay/core/cli/Cli"
import * as Effect from "effect/Effect"
import packageJson from "../../package.json" with { type: "json" }
import * as BillingEnvironment from "./BillingEnvironment.ts"
import * as GenerateCommand from "./GenerateCommand.ts"

/**
 * Runs the command line and ends the process.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (): void =>
  Cli.run({
    name,
    version: packageJson.version,
    description: "A subscription billing warehouse: events, customers as they were, revenue, recurring revenue",
    graph,
    settings: [
      {
        name: "BILLING_EVENTS",
        description: "The feed: a file, a folder or a glob (default: the sample that comes with the package)"
      },
      { name: "BILLING_START", description: "The first day of revenue (default: 2024-01-01)" }
    ],
    commands: [GenerateCommand.make(name)]
  })

// --- internal ---

const name = "assay"

const graph = Effect.gen(function* () {
  const { events, start } = yield* BillingEnvironment.read()
  const BillingGraph = yield* Effect.promise(() => import("../BillingGraph.ts"))
  const BillingFeed = yield* Effect.promise(() => import("../BillingFeed.ts"))
  return BillingGraph.make({ start, source: BillingFeed.make(events) })
})
