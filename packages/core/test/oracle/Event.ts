/**
 * What happens in a history, as data: decided from a seed before anything happens, so that some of the events can be
 * left out and the others happen as they would have.
 */
import * as Prng from "./Prng.ts"
import type { Subject } from "./Subject.ts"

/** A run of a part of what is due, and at which of the fault points it passes it ends early. */
export interface Run {
  readonly assets: ReadonlyArray<string>
  readonly upstream: boolean
  readonly force: boolean
  readonly partitions: string | undefined
  readonly concurrency: number
  readonly ends: { readonly at: number; readonly how: "died" | "interrupted" } | undefined
}

export type Event<Act> =
  | { readonly _tag: "Act"; readonly act: Act }
  | { readonly _tag: "Run"; readonly run: Run }
  /** Runs of several processes that know nothing of each other. */
  | { readonly _tag: "Crowd"; readonly runs: ReadonlyArray<Run> }
  /** A process that lands what happens while another one runs. */
  | { readonly _tag: "Lander"; readonly acts: ReadonlyArray<Act>; readonly run: Run }
  | { readonly _tag: "Drain"; readonly concurrency: number }
  | { readonly _tag: "ChangeCode"; readonly asset: string }
  /** A process whose graph is only the part of this one up to an asset. */
  | { readonly _tag: "Part"; readonly asset: string }
  | { readonly _tag: "Pass"; readonly hours: number }

/** The events of a seed. An event does not depend on how many there are. */
export const history = <Act>(subject: Subject<Act>, seed: number, length: number): ReadonlyArray<Event<Act>> =>
  Array.from({ length }, (_, index) => event(subject, Prng.make(Prng.mix(seed, index + 1)), index))

/** An event in a line. */
export const format = <Act>(event: Event<Act>): string => {
  const { _tag, ...rest } = event
  return `${_tag.toLowerCase()} ${JSON.stringify(rest)}`
}

// --- internal ---

const event = <Act>(subject: Subject<Act>, random: Prng.Prng, index: number): Event<Act> => {
  const act = () => subject.act(random, index)
  const often = [
    () => ({ _tag: "Act", act: act() }),
    () => ({ _tag: "Run", run: run(subject, random) })
  ] as const satisfies ReadonlyArray<() => Event<Act>>
  const sometimes = [
    () => ({ _tag: "Drain", concurrency: random.pick([1, 4]) }),
    () => ({ _tag: "Crowd", runs: [run(subject, random), run(subject, random), run(subject, random)] }),
    () => ({ _tag: "Lander", acts: [act(), act()], run: run(subject, random) })
  ] as const satisfies ReadonlyArray<() => Event<Act>>
  const seldom = [
    () => ({ _tag: "ChangeCode", asset: random.pick(subject.computed) }),
    () => ({ _tag: "Part", asset: random.pick(subject.computed) }),
    () => ({ _tag: "Pass", hours: random.pick([1, 5, 24, 9 * 24]) })
  ] as const satisfies ReadonlyArray<() => Event<Act>>
  const [first, second] = often
  return random.pick<() => Event<Act>>([
    first,
    first,
    first,
    ...often,
    ...often,
    second,
    ...sometimes,
    ...sometimes,
    ...seldom
  ])()
}

const run = <Act>({ computed, ranges, timed }: Subject<Act>, random: Prng.Prng): Run => {
  const assets = random.chance(0.2) ? [] : random.some(computed, Math.max(0.15, 1 / computed.length))
  return {
    assets,
    upstream: random.chance(0.75),
    force: random.chance(0.1),
    partitions:
      assets.length > 0 && assets.every((name) => timed.has(name)) && random.chance(0.5)
        ? random.pick(ranges)
        : undefined,
    concurrency: 1 + random.below(4),
    ends: random.chance(0.25)
      ? { at: random.below(random.pick([10, 60])), how: random.pick(["died", "interrupted"]) }
      : undefined
  }
}
