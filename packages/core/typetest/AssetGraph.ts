import * as Assay from "@assay/core/Assay"
import * as AssetGraph from "@assay/core/AssetGraph"
import type { Asset } from "@assay/core/Asset"
import { Context, Effect } from "effect"

class Rates extends Context.Service<Rates, { readonly rate: number }>()("typetest/graph/Rates") {}

declare const log: Asset<"log", { readonly id: string }, never, never>
declare const daily: Asset<"daily", { readonly day: string }, never, "log">
declare const priced: Asset<"priced", { readonly day: string }, Rates, "log">

// @ts-expect-error: which is not in the graph.
export const incomplete = AssetGraph.make([daily])

// @ts-expect-error: Two assets are named
export const repeated = AssetGraph.make([log, daily, log])

const program = Effect.flatMap(Assay.Assay, (assay) => assay.status())

// @ts-expect-error: Type 'Rates' is not assignable to type 'never'
export const unprovided: Effect.Effect<unknown, unknown> = Effect.provide(
  program,
  Assay.layerMemory(AssetGraph.make([log, priced]))
)
