/**
 * Where do the generator's choices come from? From a pseudo-random source that is a function of its seed alone, on
 * every machine: 32-bit integer steps (xoshiro128**), no clock, no platform randomness.
 */
import type * as Arr from "effect/Array"

/**
 * A source of choices; drawing moves it on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Random {
  /** Draws the next whole number, from 0 to 2^32 - 1. */
  readonly next: () => number
}

/**
 * Makes the source of one stream of a seed; streams of the same seed are independent of each other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: { readonly seed: number; readonly stream: number }): Random => {
  // The mixing is a bijection of each word, so different (seed, stream) pairs never share a state.
  let a = mix(low(options.seed) ^ 0x243f6a88)
  let b = mix(high(options.seed) ^ 0x85a308d3)
  let c = mix(low(options.stream) ^ 0x13198a2e)
  let d = mix(high(options.stream) ^ 0x03707344) | 1
  const next = (): number => {
    const drawn = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return drawn >>> 0
  }
  for (let round = 0; round < 16; round++) next()
  return { next }
}

/**
 * Draws a whole number from 0 to `bound - 1`; `bound` is at most 2^21.
 *
 * @category drawing
 * @since 0.1.0
 */
export const below = (random: Random, bound: number): number =>
  // The product stays under 2^53, so the division is exact up to the floor.
  Math.floor((random.next() * bound) / 0x1_0000_0000)

/**
 * Draws a whole number from `lowest` to `highest`, both included.
 *
 * @category drawing
 * @since 0.1.0
 */
export const between = (random: Random, lowest: number, highest: number): number =>
  lowest + below(random, highest - lowest + 1)

/**
 * Decides with a chance given in ten-thousandths.
 *
 * @category drawing
 * @since 0.1.0
 */
export const chance = (random: Random, tenThousandths: number): boolean => below(random, 10_000) < tenThousandths

/**
 * Draws one of the options, each as likely as the others.
 *
 * @category drawing
 * @since 0.1.0
 */
export const pick = <A>(random: Random, options: Arr.NonEmptyReadonlyArray<A>): A =>
  options[below(random, options.length)] ?? options[0]

/**
 * Draws one of the options by their weights.
 *
 * @category drawing
 * @since 0.1.0
 */
export const weighted = <A>(random: Random, options: Arr.NonEmptyReadonlyArray<readonly [A, number]>): A => {
  let left = below(
    random,
    options.reduce((sum, [, weight]) => sum + weight, 0)
  )
  for (const [option, weight] of options) {
    if (left < weight) return option
    left -= weight
  }
  return options[0][0]
}

// --- internal ---

const low = (value: number): number => value >>> 0

const high = (value: number): number => Math.floor(value / 0x1_0000_0000) >>> 0

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

const mix = (word: number): number => {
  let mixed = word | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
