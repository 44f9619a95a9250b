/**
 * How does a user say what is to be backfilled? The flags of `backfill`.
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import type { Only } from "../Backfill.ts"
import * as RequestFlags from "./RequestFlags.ts"

/**
 * The states in which `--only` finds units; undefined where it names something else.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parseOnly = (text: string): ReadonlyArray<Only> | undefined => {
  const words = text.split(",").map((word) => word.trim())
  const states = every.filter((state) => words.includes(state))
  return words.every((word) => states.some((state) => state === word)) ? states : undefined
}

/**
 * The flags of `backfill`.
 *
 * @category flags
 * @since 0.1.0
 */
export const request = {
  selection: RequestFlags.selection,
  partitions: RequestFlags.partitions,
  only: Flag.String("only").pipe(
    Flag.withMetavar("STATES"),
    Flag.withDescription(
      "Only units that are missing, failed or stale; several with commas (default: all, also fresh ones)"
    ),
    Flag.optional
  ),
  maxConcurrent: Flag.Int("max-concurrent").pipe(
    Flag.withMetavar("N"),
    Flag.filter(
      (most) => most > 0,
      () => "Expected a number of runs, 1 or more"
    ),
    Flag.withDescription("At most so many runs at once, over all processes (default: 4)"),
    Flag.withDefault(4)
  ),
  dryRun: RequestFlags.toggle("dry-run", "Say what would be requested, and write nothing"),
  yes: RequestFlags.toggle("yes", "Do not ask before much is built again"),
  json: RequestFlags.json
}

/**
 * The id of a backfill.
 *
 * @category flags
 * @since 0.1.0
 */
export const id = Argument.String("ID").pipe(Argument.withDescription("Id of a backfill, or the beginning of one"))

// --- internal ---

/** Named here too, because the schema that knows them would be loaded for every help. */
const every: typeof Only.literals = ["missing", "failed", "stale"]
