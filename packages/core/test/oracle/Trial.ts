/**
 * Is a history right, and if not, what is the least of it that is wrong? A trial lives through a history; one that fails
 * is lived through again and again, with ever fewer events, and told with the command that replays what is left of it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Storage } from "../shop/Storage.ts"
import * as Event from "./Event.ts"
import * as History from "./History.ts"
import { attempts } from "./Seeds.ts"
import * as Shrink from "./Shrink.ts"
import type { Subject } from "./Subject.ts"

/** A graph on trial: histories by seed, whatever their events are. */
export interface Trial {
  readonly name: Subject<never>["name"]
  /** Lives through the events of a seed, or through some of them by their places. */
  readonly live: (options: Options) => Effect.Effect<History.Lived, History.Broken, Storage>
}

export interface Options {
  readonly seed: number
  readonly length: number
  /** Places in the history, from 0; all where undefined. */
  readonly only: ReadonlyArray<number> | undefined
  /** The share of commits after which the tables are judged. */
  readonly verified: number
}

/** How long a history is where nobody says otherwise. */
export const usualLength = 30

/** The trial of a subject. */
export const make = <Act>(subject: Subject<Act>): Trial => ({
  name: subject.name,
  live: ({ length, only, seed, verified }) =>
    History.live({
      subject,
      seed,
      events: Event.history(subject, seed, length).filter((_, index) => only === undefined || only.includes(index)),
      watch: { verified }
    })
})

/** What is left of a history that failed. */
export interface Failure {
  readonly seed: number
  readonly only: ReadonlyArray<number>
  readonly broken: History.Broken
  readonly attempts: number
}

/** Shrinks a history that failed. Each attempt needs a storage of its own. */
export const shrink = Effect.fnUntraced(function* <R>(options: {
  readonly broken: History.Broken
  readonly seed: number
  readonly length: number
  readonly attempts: number
  readonly live: (only: ReadonlyArray<number>) => Effect.Effect<unknown, History.Broken, R>
}): Effect.fn.Return<Failure, never, R> {
  let last = options.broken
  const places = Array.from({ length: options.length }, (_, index) => index)
  const { attempts, left } = yield* Shrink.minimize(
    places,
    (some) =>
      options.live(some).pipe(
        Effect.as(false),
        Effect.catchTag("Broken", (broken) => {
          last = broken
          return Effect.succeed(true)
        })
      ),
    { attempts: options.attempts }
  )
  return { seed: options.seed, only: left, broken: last, attempts }
})

/** A failure for people: how to have it again, what happened, and what was wrong. */
export const report = (failure: Failure, options: { readonly graph: string; readonly isInMemory: boolean }): string => {
  const { attempts, broken, only, seed } = failure
  return [
    `history ${seed} of ${options.graph} is wrong, and so are ${only.length} of its events (after ${attempts} attempts to leave some out). Have it again:`,
    `  pnpm soak --graph ${options.graph} --seed ${seed} --events ${only.length === 0 ? "none" : only.join()}${options.isInMemory ? " --memory" : ""}`,
    ...broken.told,
    broken.message
  ].join("\n")
}

/** Lives through histories one after the other, each in a storage of its own; dies of the first that is wrong. */
export const all = <R>(
  trial: Trial,
  options: Pick<Options, "verified"> & {
    readonly seeds: ReadonlyArray<number>
    readonly length: number
    readonly isInMemory: boolean
    readonly storage: Layer.Layer<Storage, unknown, R>
  }
) =>
  Effect.forEach(
    options.seeds,
    Effect.fnUntraced(function* (seed) {
      const live = (only: ReadonlyArray<number> | undefined) =>
        Effect.provide(trial.live({ ...options, seed, only }), Layer.orDie(Layer.fresh(options.storage)))
      yield* live(undefined).pipe(
        Effect.catchTag("Broken", (broken) =>
          Effect.flatMap(shrink({ broken, seed, length: options.length, attempts, live }), (failure) =>
            Effect.die(new Error(report(failure, { graph: trial.name, isInMemory: options.isInMemory })))
          )
        )
      )
    }),
    { discard: true }
  )
