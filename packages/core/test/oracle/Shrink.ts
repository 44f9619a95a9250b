/**
 * What is left of a list when everything is left out that something does not need in order to happen? Delta debugging:
 * tries halves, then quarters, then single elements, for as many attempts as there are.
 */
import * as Effect from "effect/Effect"

/** The shortest list found for which it still happens, and how many attempts that took. */
export const minimize = Effect.fnUntraced(function* <A, E, R>(
  all: ReadonlyArray<A>,
  happens: (some: ReadonlyArray<A>) => Effect.Effect<boolean, E, R>,
  options: { readonly attempts: number }
): Effect.fn.Return<{ readonly left: ReadonlyArray<A>; readonly attempts: number }, E, R> {
  let left = all
  let attempts = 0
  let size = Math.ceil(left.length / 2)
  while (size > 0) {
    let isShorter = false
    for (let from = 0; from < left.length;) {
      if (attempts === options.attempts) return { left, attempts }
      attempts++
      const rest = left.toSpliced(from, size)
      if (yield* happens(rest)) {
        left = rest
        isShorter = true
      } else from += size
    }
    // Something that was needed before may not be any more.
    if (size === 1 && !isShorter) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  return { left, attempts }
})
