/**
 * A clock that goes like the machine's, but is ahead of it (or behind): processes that share the shift agree on which
 * partitions exist, whenever a test runs.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** By so many milliseconds. */
export const make = (ahead: number): Clock.Clock => {
  const real = Clock.Clock.defaultValue()
  const millis = () => real.currentTimeMillisUnsafe() + ahead
  const nanos = () => real.currentTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(duration)
  }
}

/** How far a clock must be ahead to show this instant now. */
export const until = (instant: string): number => Date.parse(instant) - Date.now()
