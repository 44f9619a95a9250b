/**
 * Numbers that look random and follow from a seed, so that a history that failed can be had again.
 */
export interface Prng {
  /** A whole number from 0 up to, but not with, the limit. */
  readonly below: (limit: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(from: readonly [A, ...ReadonlyArray<A>]) => A
  /** Each element with the given probability. */
  readonly some: <A>(from: ReadonlyArray<A>, probability: number) => ReadonlyArray<A>
}

/** A seed of its own for one of many parts of what a seed decides. */
export const mix = (seed: number, part: number): number =>
  Math.imul(seed ^ Math.imul(part, 0x9e3779b1), 0x85ebca6b) >>> 0

/** Mulberry32: 32 bits of state are plenty for a history. */
export const make = (seed: number): Prng => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  const chance = (probability: number) => next() < probability
  return {
    below,
    chance,
    pick: (from) => from[below(from.length)] ?? from[0],
    some: (from, probability) => from.filter(() => chance(probability))
  }
}
