#!/usr/bin/env node
/**
 * The billing warehouse on the command line: `assay`.
 */
import * as Cli from "@assay/core/cli/Cli"
import * as Effect from "effect/Effect"
import packageJson from "../package.json" with { type: "json" }
import * as BillingEnvironment from "./cli/BillingEnvironment.ts"
import * as GenerateCommand from "./cli/GenerateCommand.ts"

const graph = Effect.gen(function* () {
  const { events, start } = yield* BillingEnvironment.read()
  const BillingGraph = yield* Effect.promise(() => import("./BillingGraph.ts"))
  const BillingFeed = yield* Effect.promise(() => import("./cli/BillingFeed.ts"))
  return BillingGraph.make({ start, source: BillingFeed.make(events) })
})

Cli.run({
  name: "assay",
  version: packageJson.version,
  description: "A subscription billing warehouse: events, customers as they were, revenue, recurring revenue",
  graph,
  settings: [
    { name: "BILLING_EVENTS", description: "The feed: a file, a folder or a glob (default: the sample that comes with the package)" },
    { name: "BILLING_START", description: "The first day of revenue (default: 2024-01-01)" }
  ],
  commands: [GenerateCommand.make("assay")]
})
