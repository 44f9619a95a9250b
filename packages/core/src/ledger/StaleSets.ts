/**
 * The stale sets: per asset, the units whose content may differ from the full refresh, each with a version and a cause.
 * Everything that can change a result marks here, in the transaction that changes it; a step clears what it picked only
 * where the version is still the one it picked (L2). Marks without a list of units (`all`, `from a unit on`) are ranges;
 * a step turns them into units, or rebuilds the whole asset.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DateTime from "effect/DateTime"
import type { AssetKey } from "../Asset.ts"
import type { Reason } from "../MaterializationError.ts"
import { type Cell, MemoryStore } from "../Transactor.ts"
import { all, listed, none, type Unit, type UnitSet } from "../Unit.ts"
import { Materializations } from "./Materializations.ts"

/**
 * Why units are stale.
 *
 * @category models
 * @since 0.1.0
 */
export type Cause =
  | { readonly _tag: "NeverBuilt" }
  | { readonly _tag: "CodeChanged" }
  | { readonly _tag: "Upstream"; readonly asset: AssetKey }

/**
 * What is stale of one asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface StaleSet {
  readonly asset: AssetKey
  /** The code version under which the asset is known to the ledger; undefined for an asset it has never seen. */
  readonly codeVersion: string | undefined
  /** The ranges: `from` undefined means everything. */
  readonly ranges: ReadonlyArray<{ readonly from: string | undefined; readonly cause: Cause }>
  /** How many units are marked one by one, by cause. */
  readonly marks: ReadonlyArray<{ readonly cause: Cause; readonly count: number }>
}

/**
 * A mark on a unit, or a range that covers it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mark {
  readonly cause: Cause
  readonly isRange: boolean
  readonly at: DateTime.Utc
}

/**
 * Units that are marked one by one, with the cause that they share.
 *
 * @category models
 * @since 0.1.0
 */
export interface Marks {
  readonly cause: Cause
  readonly units: ReadonlyArray<string>
}

/**
 * An asset that the ledger knows, and under which code.
 *
 * @category models
 * @since 0.1.0
 */
export interface Known {
  readonly asset: AssetKey
  readonly codeVersion: string
}

/**
 * What the ledger has to know of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface Registration {
  readonly asset: AssetKey
  readonly codeVersion: string
  readonly isPartitioned: boolean
  /** The assets whose changes make it stale; views, which keep nothing, are passed over. */
  readonly reads: ReadonlyArray<AssetKey>
}

/**
 * What a step considers.
 *
 * **Details**
 *
 * - `Whole`: everything, also what is not marked, where anything is stale; with `isForced` in any case.
 * - `Some`: at most `limit` marked units.
 * - `Units`: of these partitions the ones that are marked or were never built; with `isForced` all of them.
 *
 * @category models
 * @since 0.1.0
 */
export type Selection =
  | { readonly _tag: "Whole"; readonly isForced: boolean }
  | { readonly _tag: "Some"; readonly limit: number }
  | { readonly _tag: "Units"; readonly units: ReadonlyArray<Unit>; readonly isForced: boolean }

/**
 * The units of a step with the versions of their marks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Picked {
  readonly asset: AssetKey
  /** The units to rebuild; `All` for a whole rebuild. */
  readonly units: UnitSet
  readonly count: number
  /** The picked partitions, where the selection named partitions. */
  readonly partitions: ReadonlyArray<Unit>
  /** Those of them of which all that changed is in the change logs of the asset. */
  readonly logged: ReadonlySet<string>
  /** The ranges that the step answers for, and, in memory, the marks. */
  readonly versions: ReadonlyArray<string>
}

/**
 * The stale sets of all assets.
 *
 * @category services
 * @since 0.1.0
 */
export class StaleSets extends Context.Service<
  StaleSets,
  {
    /** Those of the assets that are not known, or known with other code or other upstream assets. */
    readonly unregistered: (assets: ReadonlyArray<Registration>) => Effect.Effect<ReadonlyArray<Registration>, Reason>
    /**
     * Makes assets known. A new asset without partitions is stale as a whole (never built); an asset whose code version
     * differs from the known one is stale as a whole (code changed).
     */
    readonly register: (options: {
      readonly assets: ReadonlyArray<Registration>
      readonly at: DateTime.Utc
    }) => Effect.Effect<void, Reason>
    /** The asset itself, where it is known, and every asset known to read it, each with its known code version. */
    readonly known: (asset: AssetKey) => Effect.Effect<ReadonlyArray<Known>, Reason>
    /**
     * Holds stale sets until the transaction ends, in the order given, which is that of the graph. Whoever marks or clears
     * one holds it by that; of several this takes all holds at once.
     */
    readonly hold: (assets: ReadonlyArray<AssetKey>) => Effect.Effect<void, Reason>
    /**
     * Marks units stale. `isLogged`: the rows that changed are in a change log of the asset; a unit that is also marked
     * otherwise is not taken for logged.
     */
    readonly mark: (options: {
      readonly asset: AssetKey
      readonly units: UnitSet
      readonly cause: Cause
      readonly at: DateTime.Utc
      readonly isLogged?: boolean
    }) => Effect.Effect<void, Reason>
    /**
     * Announces the first build of an asset: from now on marks are listed one by one instead of being covered by the
     * range that says "never built", so that what arrives during the build is not a reason to build everything again.
     */
    readonly open: (asset: AssetKey) => Effect.Effect<void, Reason>
    /** Picks the units of a step, remembering the versions of their marks. */
    readonly pick: (options: {
      readonly asset: AssetKey
      readonly selection: Selection
    }) => Effect.Effect<Picked, Reason>
    /**
     * Clears what was picked, which is gone after that; what was marked again meanwhile stays stale. Like marking, it holds
     * the asset's stale set until the transaction ends; of several assets these holds are taken in the order of the graph.
     * What stays stale is not logged any more, for the step has used up the change logs.
     */
    readonly clear: (picked: Picked) => Effect.Effect<void, Reason>
    /** Turns the ranges of a partitioned asset into marks on the given partitions, which are all that exist. */
    readonly expand: (options: {
      readonly asset: AssetKey
      readonly units: ReadonlyArray<string>
      readonly at: DateTime.Utc
    }) => Effect.Effect<void, Reason>
    /** What is stale, for the given assets. */
    readonly get: (assets: ReadonlyArray<AssetKey>) => Effect.Effect<ReadonlyMap<AssetKey, StaleSet>, Reason>
    /** The marked units of a partitioned asset, with the cause of each. */
    readonly units: (
      asset: AssetKey
    ) => Effect.Effect<ReadonlyArray<{ readonly unit: string; readonly cause: Cause }>, Reason>
    /** The marked units of partitioned assets by cause, in order; one query for all of them. */
    readonly marked: (
      assets: ReadonlyArray<AssetKey>
    ) => Effect.Effect<ReadonlyMap<AssetKey, ReadonlyArray<Marks>>, Reason>
    /** What makes one unit stale: its own mark and the ranges that cover it, oldest first. */
    readonly covering: (options: {
      readonly asset: AssetKey
      readonly unit: string
    }) => Effect.Effect<ReadonlyArray<Mark>, Reason>
  }
>()("@assay/core/ledger/StaleSets") {}

/**
 * A cause as the ledger stores it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const encodeCause = (cause: Cause): string => {
  switch (cause._tag) {
    case "NeverBuilt":
      return "never built"
    case "CodeChanged":
      return "code changed"
    case "Upstream":
      return `upstream:${cause.asset}`
  }
}

/**
 * The cause that a stored text stands for. "opened" is a first build that has begun.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decodeCause = (text: string): Cause =>
  text.startsWith("upstream:")
    ? { _tag: "Upstream", asset: text.slice("upstream:".length) }
    : text === "code changed"
      ? { _tag: "CodeChanged" }
      : { _tag: "NeverBuilt" }

/**
 * A cause in words.
 *
 * @category conversions
 * @since 0.1.0
 */
export const formatCause = (cause: Cause): string =>
  cause._tag === "Upstream" ? `${cause.asset} changed` : encodeCause(cause)

/**
 * Stale sets in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<StaleSets, never, MemoryStore | Materializations> = Layer.effect(
  StaleSets,
  Effect.gen(function* () {
    const materializations = yield* Materializations
    const state = (yield* MemoryStore).cell<State>({ version: 0, assets: new Map() })
    const of = (asset: AssetKey) => stateOf(state, asset)
    const put = (asset: AssetKey, changed: AssetState) => keep(state, asset, changed)
    const mark = (asset: AssetKey, units: UnitSet, cause: string, at: DateTime.Utc) =>
      markIn(state, asset, units, { cause, at })

    return StaleSets.of({
      unregistered: (assets) =>
        Effect.sync(() =>
          assets.filter(({ asset, codeVersion, reads }) => {
            const current = of(asset)
            return current.codeVersion !== codeVersion || current.reads.join() !== reads.join()
          })
        ),
      known: (asset) =>
        Effect.sync(() =>
          Array.from(state.get().assets).flatMap(([name, { codeVersion, reads }]) =>
            codeVersion !== undefined && (name === asset || reads.includes(asset)) ? [{ asset: name, codeVersion }] : []
          )
        ),
      register: ({ assets, at }) =>
        Effect.sync(() => {
          for (const { asset, codeVersion, isPartitioned, reads } of assets) {
            const current = of(asset)
            put(asset, { ...current, codeVersion, reads })
            if (current.codeVersion === codeVersion) continue
            if (current.codeVersion !== undefined) mark(asset, all, encodeCause({ _tag: "CodeChanged" }), at)
            else if (!isPartitioned) mark(asset, all, encodeCause({ _tag: "NeverBuilt" }), at)
          }
        }),
      hold: () => Effect.void,
      mark: ({ asset, at, cause, units }) => Effect.sync(() => mark(asset, units, encodeCause(cause), at)),
      open: (asset) =>
        Effect.sync(() => {
          const current = of(asset)
          put(asset, {
            ...current,
            ranges: current.ranges.map((range) => (range.cause === "never built" ? { ...range, cause: opened } : range))
          })
        }),
      pick: ({ asset, selection }) =>
        Effect.map(selection._tag === "Units" ? materializations.units(asset) : Effect.succeed([]), (built) =>
          choose(asset, of(asset), selection, new Set(built))
        ),
      clear: (picked) =>
        Effect.sync(() => {
          const current = of(picked.asset)
          const versions = new Set(picked.versions)
          put(picked.asset, {
            ...current,
            ranges: current.ranges.filter(({ version }) => !versions.has(JSON.stringify([version]))),
            marks: new Map(
              Array.from(current.marks).filter(([unit, { version }]) => !versions.has(JSON.stringify([unit, version])))
            )
          })
        }),
      expand: ({ asset, at, units }) =>
        Effect.sync(() => {
          const { ranges } = of(asset)
          put(asset, { ...of(asset), ranges: [] })
          for (const { cause, from } of ranges) {
            mark(asset, listed(units.filter((unit) => from === undefined || unit >= from)), cause, at)
          }
        }),
      get: (assets) => Effect.sync(() => new Map(assets.map((asset) => [asset, setOf(asset, of(asset))]))),
      marked: (assets) => Effect.sync(() => new Map(assets.map((asset) => [asset, marksOf(of(asset))]))),
      units: (asset) => Effect.sync(() => unitsOf(of(asset))),
      covering: ({ asset, unit }) => Effect.sync(() => coveringOf(of(asset), unit))
    })
  })
)

/**
 * The stored cause of an asset whose first build has begun.
 *
 * @category constants
 * @since 0.1.0
 */
export const opened = "opened"

// --- internal ---

interface AssetState {
  readonly codeVersion: string | undefined
  readonly reads: ReadonlyArray<AssetKey>
  readonly ranges: ReadonlyArray<{
    readonly from: string | undefined
    readonly version: number
    readonly cause: string
    readonly at: DateTime.Utc
  }>
  readonly marks: ReadonlyMap<string, { readonly version: number; readonly cause: string; readonly at: DateTime.Utc }>
}

interface State {
  readonly version: number
  readonly assets: ReadonlyMap<AssetKey, AssetState>
}

const unknown: AssetState = { codeVersion: undefined, reads: [], ranges: [], marks: new Map() }

const unitsOf = ({ marks }: AssetState): ReadonlyArray<{ readonly unit: string; readonly cause: Cause }> =>
  Array.from(marks, ([unit, { cause }]) => ({ unit, cause: decodeCause(cause) })).toSorted((a, b) =>
    a.unit < b.unit ? -1 : 1
  )

const marksOf = ({ marks }: AssetState): ReadonlyArray<Marks> =>
  Array.from(
    Map.groupBy(marks, ([, { cause }]) => cause),
    ([cause, group]) => ({ cause, units: group.map(([unit]) => unit).toSorted() })
  )
    .toSorted((a, b) => (a.cause < b.cause ? -1 : 1))
    .map(({ cause, units }) => ({ cause: decodeCause(cause), units }))

const stateOf = (state: Cell<State>, asset: AssetKey): AssetState => state.get().assets.get(asset) ?? unknown

const keep = (state: Cell<State>, asset: AssetKey, changed: AssetState): void =>
  state.set({ ...state.get(), assets: new Map(state.get().assets).set(asset, changed) })

const setOf = (asset: AssetKey, { codeVersion, marks, ranges }: AssetState): StaleSet => ({
  asset,
  codeVersion,
  ranges: ranges.map(({ cause, from }) => ({ from, cause: decodeCause(cause) })),
  marks: Array.from(
    Map.groupBy(marks.values(), ({ cause }) => cause),
    ([cause, group]) => ({ cause: decodeCause(cause), count: group.length })
  )
})

const coveringOf = ({ marks, ranges }: AssetState, unit: string): ReadonlyArray<Mark> => {
  const own = marks.get(unit)
  return [
    ...ranges
      .filter(({ from }) => from === undefined || from <= unit)
      .map(({ at, cause }) => ({ cause: decodeCause(cause), isRange: true, at })),
    ...(own === undefined ? [] : [{ cause: decodeCause(own.cause), isRange: false, at: own.at }])
  ].toSorted((a, b) => DateTime.Order(a.at, b.at))
}

const markIn = (
  state: Cell<State>,
  asset: AssetKey,
  units: UnitSet,
  { at, cause }: { readonly cause: string; readonly at: DateTime.Utc }
): void => {
  const current = stateOf(state, asset)
  switch (units._tag) {
    case "None":
      return
    case "All":
    case "From": {
      const from = units._tag === "From" ? units.unit : undefined
      const others = current.ranges.filter((range) => range.from !== from || range.cause !== cause)
      return keep(state, asset, { ...current, ranges: [...others, { from, version: next(state), cause, at }] })
    }
    case "Listed": {
      const neverBuilt = current.ranges.find((range) => range.cause === encodeCause({ _tag: "NeverBuilt" }))
      if (neverBuilt !== undefined) {
        return keep(state, asset, {
          ...current,
          ranges: current.ranges.map((range) => (range === neverBuilt ? { ...range, version: next(state) } : range))
        })
      }
      const marks = new Map(current.marks)
      for (const unit of units.units) marks.set(unit, { version: next(state), cause, at })
      return keep(state, asset, { ...current, marks })
    }
    case "Relation":
      throw new Error("a temporary relation has no meaning in memory")
  }
}

/** What a selection picks of an asset's stale set, with the versions of the marks and ranges that a step answers for. */
const choose = (asset: AssetKey, state: AssetState, selection: Selection, built: ReadonlySet<string>): Picked => {
  const marked = Array.from(state.marks, ([unit, { version }]) => ({ unit, version }))
  const versionsOf = (chosen: ReadonlySet<string>) =>
    marked.filter(({ unit }) => chosen.has(unit)).map(({ unit, version }) => JSON.stringify([unit, version]))
  switch (selection._tag) {
    case "Whole":
      return {
        asset,
        units: selection.isForced || marked.length + state.ranges.length > 0 ? all : none,
        count: marked.length,
        partitions: [],
        logged: new Set(),
        versions: [
          ...state.ranges.map(({ version }) => JSON.stringify([version])),
          ...versionsOf(new Set(state.marks.keys()))
        ]
      }
    case "Some": {
      const units = marked
        .map(({ unit }) => unit)
        .toSorted()
        .slice(0, selection.limit)
      return {
        asset,
        units: listed(units),
        count: units.length,
        partitions: [],
        logged: new Set(),
        versions: versionsOf(new Set(units))
      }
    }
    case "Units": {
      const partitions = selection.units.filter(
        ({ unit }) => selection.isForced || state.marks.has(unit) || !built.has(unit)
      )
      const units = partitions.map(({ unit }) => unit)
      return {
        asset,
        units: listed(units),
        count: units.length,
        partitions,
        // Nobody keeps change logs in memory.
        logged: new Set(),
        versions: versionsOf(new Set(units))
      }
    }
  }
}

const next = (state: Cell<State>): number => {
  const version = state.get().version + 1
  state.set({ ...state.get(), version })
  return version
}
