/**
 * How does a user name assets, partitions and the form of the answer? The flags that several commands share, so that
 * they read alike everywhere.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import type { Request } from "../planning/Request.ts"

/**
 * A flag that is there or not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

/**
 * `--select`, a selection as `AssetSelection.parse` reads it, and `--asset`, which is the same by a shorter name. Either may
 * be repeated, and more of them mean more assets.
 *
 * @category flags
 * @since 0.1.0
 */
export const selection = {
  asset: Flag.String("asset").pipe(
    Flag.withAlias("a"),
    Flag.withMetavar("NAME"),
    Flag.withDescription("Name of an asset, or several with commas; reads selections, too (default: all)"),
    Flag.atLeast(0)
  ),
  select: Flag.String("select").pipe(
    Flag.withAlias("s"),
    Flag.withMetavar("EXPRESSION"),
    Flag.withDescription(
      "Assets by an expression: 'gold_*', +gold_revenue, silver_events+2, tag:, group:, tier:, owner:, kind:, status:stale, sinks(*), combined by and, or, not"
    ),
    Flag.atLeast(0)
  )
}

/**
 * The expressions that `--select` and `--asset` give.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection {
  readonly asset: ReadonlyArray<string>
  readonly select: ReadonlyArray<string>
}

/**
 * The expressions, in the order of the flags; an empty one, as a script makes it of an empty variable, says nothing.
 *
 * @category conversions
 * @since 0.1.0
 */
export const expressions = ({ asset, select }: Selection): ReadonlyArray<string> =>
  [...asset, ...select].map((text) => text.replace(/^[\s,]+|[\s,]+$/g, "")).filter((text) => text !== "")

/**
 * `--partitions`, a range as `PartitionSet.parse` reads it.
 *
 * @category flags
 * @since 0.1.0
 */
export const partitions = Flag.String("partitions").pipe(
  Flag.withAlias("p"),
  Flag.withMetavar("RANGE"),
  Flag.withDescription(
    "2024, 2024-03, 2024-03-05, 2024-03..2024-05-15, 2024-03.., ..2024-05, latest, all; several with commas"
  ),
  Flag.optional
)

/**
 * `--json`.
 *
 * @category flags
 * @since 0.1.0
 */
export const json = toggle("json", "Print one JSON document on standard output instead of text")

/**
 * The flags of a request to materialize.
 *
 * @category flags
 * @since 0.1.0
 */
export const request = {
  selection,
  partitions,
  noUpstream: toggle("no-upstream", "Only the named assets, not what they are made of"),
  force: toggle("force", "Recompute units of the named assets although they are fresh")
}

/**
 * The request that flags make, but for its assets: these only the graph can tell.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toRequest = (input: {
  readonly partitions: Option.Option<string>
  readonly noUpstream: boolean
  readonly force: boolean
}): Omit<Request, "assets" | "select"> => ({
  partitions: Option.getOrUndefined(input.partitions),
  upstream: !input.noUpstream,
  force: input.force
})
