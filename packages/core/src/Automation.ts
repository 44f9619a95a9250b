/**
 * Automation that runs inside a host: a daemon over a graph of assets that lives as long as the host's layers, and that
 * lets what it is doing end when they close.
 */
import type { PgClient } from "@effect/sql-pg"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Assay, environment, layer as layerGraph, type RequestError, type WatchOptions } from "./Assay.ts"
import type { AssetGraph } from "./AssetGraph.ts"
import type { Reason } from "./MaterializationError.ts"
import type { Schemas } from "./postgres/Postgres.ts"

/**
 * How a host watches.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = Omit<WatchOptions, "once">

/**
 * Watches the graph of the `Assay` at hand for as long as the layer lives.
 *
 * **Details**
 *
 * When the layer closes, transactions under way end, none begins, and the runs are recorded as cancelled: what is left is
 * requested again by the next daemon. What ends the daemon itself, such as a ledger that is newer than this package, is
 * logged; a database that is away is waited for.
 *
 * **Example** (A host that watches beside serving)
 *
 * ```ts
 * import * as Assay from "@assay/core/Assay"
 * import * as AssetGraph from "@assay/core/AssetGraph"
 * import * as Automation from "@assay/core/Automation"
 * import * as Layer from "effect/Layer"
 *
 * const graph = AssetGraph.make([])
 *
 * export const assay = Automation.layerAssay({ poll: "10 seconds" }).pipe(Layer.provideMerge(Assay.layer(graph)))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAssay = (options: Options = {}): Layer.Layer<never, never, Assay> =>
  Layer.effectDiscard(
    Effect.flatMap(Assay, (assay) =>
      Effect.forkScoped(
        assay
          .watch(options)
          .pipe(
            Effect.catch((error: RequestError | Reason) => Effect.logError("automation has stopped", error.message))
          )
      )
    )
  )

/**
 * Watches a graph on PostgreSQL, in the environment of the given database schemas.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R>(
  graph: AssetGraph<R>,
  { schemas = environment("dev"), ...options }: Options & { readonly schemas?: Schemas | undefined } = {}
): Layer.Layer<never, Reason, PgClient.PgClient | R> =>
  layerAssay(options).pipe(Layer.provide(layerGraph(graph, schemas)))
