/**
 * What is tried: a graph, what can happen in the world around it, and the naive recompute that judges it.
 */
import type { AssetGraph } from "@assay/core/AssetGraph"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Disturbance } from "../shop/Disturbance.ts"
import type { Storage } from "../shop/Storage.ts"
import type { Row } from "./Picture.ts"
import type * as Prng from "./Prng.ts"

/** A table from the tables it reads, as of an instant in epoch milliseconds. */
export type Naive = (table: (asset: string) => ReadonlyArray<Row>, now: number) => ReadonlyArray<Row>

export interface Subject<Act> {
  readonly name: "billing" | "shop"
  /** When histories begin, in epoch milliseconds. */
  readonly start: number
  readonly source: string
  /** The assets that are asked for by name and whose code changes. */
  readonly computed: readonly [string, ...ReadonlyArray<string>]
  /** Those of them that are cut by time, and ranges of their partitions. */
  readonly timed: ReadonlySet<string>
  readonly ranges: readonly [string, ...ReadonlyArray<string>]
  /** Something that happens outside: plain data, decided before the history begins; `index` is its place in it. */
  readonly act: (random: Prng.Prng, index: number) => Act
  /** A new world for a history; `random` decides what stays the same through it. */
  readonly open: (random: Prng.Prng) => Effect.Effect<World<Act>, never, Storage | Scope.Scope>
}

export interface World<in Act> {
  /** The graph over this world, with the given code versions. */
  readonly graph: (versions: ReadonlyMap<string, string>) => AssetGraph<Disturbance>
  /** Lets it happen, at an instant, and tells it. */
  readonly happen: (act: Act, now: number) => Effect.Effect<ReadonlyArray<string>>
  /** Whether something is wrong outside, so that runs may fail. */
  readonly isTroubled: Effect.Effect<boolean>
  /** Ends all trouble. */
  readonly mend: Effect.Effect<void>
  /** The computed tables by asset, upstream before downstream. */
  readonly naive: { readonly [asset: string]: Naive }
  /** The unit to which a row of an asset belongs, as the ledger names it. */
  readonly unitOf: (asset: string, row: Row) => string
  /** The columns that the naive tables lack: hashes of what is compared anyway. */
  readonly untold: ReadonlySet<string>
  /** What is wrong with the source's table and the quarantine once everything landed (L4). */
  readonly lost: (landed: ReadonlyArray<Row>, rejected: ReadonlyArray<Rejected>) => string | undefined
}

export interface Rejected {
  readonly origin: string
  readonly line: number
}
