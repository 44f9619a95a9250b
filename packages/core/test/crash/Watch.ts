/**
 * A clock that a test sets: it shows the real time, moved by as much as is asked for at that moment, and whoever waits
 * for it waits a tenth as long.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export const make = (ahead: () => Duration.Duration = () => Duration.zero): Clock.Clock => {
  const real = Clock.Clock.defaultValue()
  const currentTimeMillisUnsafe = () => real.currentTimeMillisUnsafe() + Duration.toMillis(ahead())
  const currentTimeNanosUnsafe = () => BigInt(currentTimeMillisUnsafe()) * 1_000_000n
  return {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe,
    currentTimeNanos: Effect.sync(currentTimeNanosUnsafe),
    monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: real.monotonicTimeNanos,
    sleep: (duration) => real.sleep(Duration.times(duration, 0.1))
  }
}
