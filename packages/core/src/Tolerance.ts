/**
 * Which upstream windows may be missing, so that a unit that reads them counts as complete all the same? It decides when a
 * unit is built, never what is correct: the window that comes later makes it stale like any other change.
 */
import * as Schema from "effect/Schema"

/**
 * What an input allows to be missing.
 *
 * **Details**
 *
 * - `None`: nothing. A unit waits until all that it reads exists.
 * - `Newest`: of the windows that a unit reads, the newest ones, so many of them, as long as they have not come to exist.
 *   They are counted in windows of the upstream asset, which a change of the clock makes neither more nor fewer.
 * - `Any`: everything, also what will never exist.
 *
 * @category models
 * @since 0.1.0
 */
export type Tolerance =
  | { readonly _tag: "None" }
  | { readonly _tag: "Newest"; readonly windows: number }
  | { readonly _tag: "Any" }

/**
 * How a definition says it: `{ newest: 1 }` over days is "up to one day late", `true` is whatever is missing.
 *
 * @category models
 * @since 0.1.0
 */
export type AllowMissing = boolean | { readonly newest: number }

/**
 * A number of windows that is none. Thrown where the input is defined.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidTolerance extends Schema.TaggedError<InvalidTolerance>("@assay/core/InvalidTolerance")(
  "InvalidTolerance",
  { newest: Schema.Number }
) {
  override get message(): string {
    return `allowMissing: { newest: ${this.newest} } is no number of upstream windows; expected 1, 2, …, or true for whatever is missing`
  }
}

/**
 * Nothing may be missing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: Tolerance = { _tag: "None" }

/**
 * The tolerance that a definition says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (allowed: AllowMissing): Tolerance => {
  if (typeof allowed === "boolean") return allowed ? { _tag: "Any" } : none
  if (!Number.isInteger(allowed.newest) || allowed.newest < 1) throw new InvalidTolerance({ newest: allowed.newest })
  return { _tag: "Newest", windows: allowed.newest }
}

/**
 * A tolerance in a few words, for plans and docs.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: Tolerance): string => {
  switch (self._tag) {
    case "None":
      return "nothing may be missing"
    case "Newest":
      return `the newest ${self.windows === 1 ? "window" : `${self.windows} windows`} may be missing`
    case "Any":
      return "anything may be missing"
  }
}
