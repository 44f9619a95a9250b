/**
 * What does the process say when it ends? One number for scripts: whether the work is done, failed, was asked for
 * wrongly, is partly done, or was interrupted.
 */
import * as Schema from "effect/Schema"
import type { RunResult } from "../execution/Runner.ts"

/**
 * The exit codes.
 *
 * **Details**
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | done; also when there was nothing to do |
 * | 1 | failed: no asset succeeded, a check of `verify` found a difference, or the database cannot be reached |
 * | 2 | usage or configuration: an unknown flag, asset or range, a setting that cannot be used |
 * | 3 | partly failed: some assets succeeded or were up to date, others failed |
 * | 130 | interrupted |
 *
 * @category constants
 * @since 0.1.0
 */
export const ExitCode = { done: 0, failed: 1, usage: 2, partlyFailed: 3, interrupted: 130 } as const

/**
 * One of the exit codes.
 *
 * @category models
 * @since 0.1.0
 */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/**
 * The end of a command that has said all there is to say, except by its exit code.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unsuccessful extends Schema.TaggedError<Unsuccessful>("@assay/core/cli/Unsuccessful")("Unsuccessful", {
  code: Schema.Literals([1, 3])
}) {}

/**
 * A request that cannot be understood, in words that say what would be.
 *
 * @category errors
 * @since 0.1.0
 */
export class UsageError extends Schema.TaggedError<UsageError>("@assay/core/cli/UsageError")("UsageError", {
  message: Schema.String
}) {}

/**
 * The exit code of a run: partly failed where some asset came out well and some did not.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ofRun = ({ outcomes, status }: Pick<RunResult, "outcomes" | "status">): ExitCode => {
  if (status === "succeeded") return ExitCode.done
  const isGood = outcomes.some(({ outcome }) => outcome === "succeeded" || outcome === "unchanged")
  return isGood ? ExitCode.partlyFailed : ExitCode.failed
}
