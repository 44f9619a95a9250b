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
 * `--asset`, repeatable, or with several names separated by commas.
 *
 * @category flags
 * @since 0.1.0
 */
export const assets = Flag.String("asset").pipe(
  Flag.withAlias("a"),
  Flag.withMetavar("NAME"),
  Flag.withDescription("Name of an asset; repeat it, or separate names with commas (default: all)"),
  Flag.atLeast(0),
  Flag.map((texts) => [
    ...new Set(
      texts
        .flatMap((text) => text.split(","))
        .map((name) => name.trim())
        .filter((name) => name !== "")
    )
  ])
)

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
  assets,
  partitions,
  noUpstream: toggle("no-upstream", "Only the named assets, not what they are made of"),
  force: toggle("force", "Recompute units of the named assets although they are fresh")
}

/**
 * The request that flags make.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toRequest = (input: {
  readonly assets: ReadonlyArray<string>
  readonly partitions: Option.Option<string>
  readonly noUpstream: boolean
  readonly force: boolean
}): Request => ({
  assets: input.assets,
  partitions: Option.getOrUndefined(input.partitions),
  upstream: !input.noUpstream,
  force: input.force
})
