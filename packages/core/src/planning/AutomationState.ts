/**
 * What the conditions of an asset ask about, made of what the ledger says: sets of partitions, and for each unit that is
 * due the version of its marks, by which a unit that failed is known again. Pure; what was read once is kept and only what
 * changed is learned anew.
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Asset, isPartitioned } from "../Asset.ts"
import { canonicalJson } from "../Column.ts"
import { md5 } from "../internal/hash.ts"
import * as internal from "../internal/partitionSet.ts"
import type { Facts, ForeignRun } from "../ledger/AutomationCursors.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import { whole } from "../Unit.ts"
import * as AssetStatus from "./AssetStatus.ts"
import { type AssetState, definitionOf, type Memory } from "./Automation.ts"

/**
 * What is known of an asset, whatever the time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Known {
  readonly asset: Asset
  readonly facts: Omit<Facts, "built">
  readonly built: PartitionSet.PartitionSet
  /** Built since the remembered evaluation. */
  readonly updated: PartitionSet.PartitionSet
  readonly marked: PartitionSet.PartitionSet
  readonly versions: ReadonlyMap<string, string>
  /** Built of keys of dynamic partitions that were removed. */
  readonly withdrawn: ReadonlySet<string>
}

/**
 * What is known after a reading; `units` are those asked for, undefined for all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const learn = (
  asset: Asset,
  { built, ...facts }: Facts,
  { before, units }: { readonly before: Known | undefined; readonly units: ReadonlyArray<string> | undefined }
): Known => {
  const found = setOf(
    asset,
    built.map(({ unit }) => unit)
  )
  const others =
    units === undefined || before === undefined
      ? PartitionSet.empty(asset.partitions)
      : PartitionSet.difference(before.built, setOf(asset, units))
  return {
    asset,
    facts,
    built: PartitionSet.union(others, found),
    updated: setOf(
      asset,
      built.filter(({ isUpdated }) => isUpdated).map(({ unit }) => unit)
    ),
    marked: setOf(
      asset,
      facts.marks.map(({ unit }) => unit)
    ),
    versions: new Map(facts.marks.map(({ unit, version }) => [unit, version])),
    withdrawn: withdrawnOf(
      asset,
      built.map(({ unit }) => unit),
      units === undefined ? [] : Array.from(before?.withdrawn ?? []).filter((unit) => !units.includes(unit))
    )
  }
}

/**
 * The units of removed keys whose rows are to be taken back, and have not been in vain.
 *
 * @category getters
 * @since 0.1.0
 */
export const withdrawable = (self: Known, now: number): ReadonlyArray<string> =>
  Array.from(self.withdrawn).filter(
    (name) =>
      !self.facts.failures.some(
        ({ retryAt, unit, version }) =>
          unit === name &&
          version === versionOf(self, unit, undefined) &&
          (retryAt === undefined || DateTime.toEpochMillis(retryAt) > now)
      )
  )

/**
 * The same after an evaluation: nothing is newly updated.
 *
 * @category combinators
 * @since 0.1.0
 */
export const evaluated = (self: Known): Known =>
  PartitionSet.isEmpty(self.updated) ? self : { ...self, updated: PartitionSet.empty(self.asset.partitions) }

/**
 * The state of an asset at an instant.
 *
 * **Details**
 *
 * A source is built at all times, and stale while it has something to deliver. A view has nothing to build.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  known: Known,
  options: {
    readonly now: number
    /** What names the deliveries of a source that wait to be landed; undefined where there are none. */
    readonly deliveries: string | undefined
    readonly inProgress: PartitionSet.PartitionSet
  }
): AssetState => {
  const { asset, facts } = known
  const existing = Partitions.existing(asset.partitions, options.now)
  const none = PartitionSet.empty(asset.partitions)
  const isStored = asset.body._tag === "Compute" && asset.write._tag !== "View"
  const built = isStored ? PartitionSet.intersection(existing, known.built) : existing
  const stale = isStored
    ? PartitionSet.intersection(staleOf(known, existing), built)
    : options.deliveries === undefined
      ? none
      : existing
  const due = PartitionSet.union(PartitionSet.difference(existing, built), stale)
  const failures = facts.failures.filter(
    ({ retryAt, unit, version }) =>
      version === versionOf(known, unit, options.deliveries) &&
      (retryAt === undefined || DateTime.toEpochMillis(retryAt) > options.now)
  )
  const failed = (chosen: typeof failures) =>
    PartitionSet.intersection(
      setOf(
        asset,
        chosen.map(({ unit }) => unit)
      ),
      due
    )
  return {
    existing,
    built,
    stale,
    updated: known.updated,
    inProgress: options.inProgress,
    failed: failed(failures),
    checkFailed: failed(failures.filter(({ isCheck }) => isCheck)),
    isCodeChanged:
      isStored &&
      (isOtherCode(known) || [...facts.ranges, ...facts.marks].some(({ cause }) => cause._tag === "CodeChanged"))
  }
}

/**
 * The version of a unit that is due: another one means that something has changed.
 *
 * @category getters
 * @since 0.1.0
 */
export const versionOf = ({ asset, facts, versions }: Known, unit: string, deliveries: string | undefined): string =>
  asset.body._tag === "Source"
    ? (deliveries ?? "")
    : [versions.get(unit) ?? "", facts.ranges.map(({ version }) => version).join(), asset.codeVersion].join("/")

/**
 * Whether the ledger knows the asset by other code than this: another process has taken it over, and its steps would be
 * refused (L8).
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOtherCode = ({ asset, facts }: Known): boolean =>
  facts.codeVersion !== undefined && facts.codeVersion !== asset.codeVersion

/**
 * When failures are tried again by themselves, after an instant.
 *
 * @category getters
 * @since 0.1.0
 */
export const retries = ({ facts }: Known, after: number): ReadonlyArray<number> =>
  facts.failures.flatMap(({ retryAt }) => {
    const at = retryAt === undefined ? after : DateTime.toEpochMillis(retryAt)
    return at > after ? [at] : []
  })

/**
 * What a run that nobody here has requested may be building of an asset: what its range says, or all.
 *
 * @category getters
 * @since 0.1.0
 */
export const inForeignRun = (asset: Asset, run: ForeignRun, now: number): PartitionSet.PartitionSet => {
  if (!run.assets.includes(asset.name)) return PartitionSet.empty(asset.partitions)
  const existing = Partitions.existing(asset.partitions, now)
  if (run.partitions === undefined || !isPartitioned(asset)) return existing
  return Result.getOrElse(
    PartitionSet.parse(run.partitions, { partitions: asset.partitions, existing, now }),
    () => existing
  )
}

/**
 * Partitions as the ledger keeps them.
 *
 * @category conversions
 * @since 0.1.0
 */
export const encodeSet = (asset: Asset, set: PartitionSet.PartitionSet): Schema.Json => ({
  definition: definitionOf(asset),
  ...stored(set)
})

/**
 * Partitions out of the ledger. All that exist, where they were of another definition: too much is only looked at.
 *
 * @category conversions
 * @since 0.1.0
 */
export const decodeSet = (asset: Asset, json: Schema.Json, now: number): PartitionSet.PartitionSet => {
  const decoded = decodeSpans(json)
  return decoded._tag === "Some" && decoded.value.definition === definitionOf(asset)
    ? restored(asset.partitions, decoded.value)
    : Partitions.existing(asset.partitions, now)
}

/**
 * What an evaluation remembers, as the ledger keeps it. A part may be about units of an asset upstream, so each names its
 * partitions.
 *
 * @category conversions
 * @since 0.1.0
 */
export const encodeParts = ({ parts }: Memory): Schema.Json =>
  Object.fromEntries(Array.from(parts, ([path, set]) => [path, { definition: cutOf(set.partitions), ...stored(set) }]))

/**
 * What the last evaluation remembers; undefined where there was none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const memoryOf = ({ asset, facts: { remembered } }: Known): Memory | undefined => {
  if (remembered === undefined) return undefined
  const parts = remembered.definition === definitionOf(asset) ? decodeParts(remembered.parts) : undefined
  const cuts = new Map(upstreamCuts(asset).map((partitions) => [cutOf(partitions), partitions]))
  return {
    definition: remembered.definition,
    at: DateTime.toEpochMillis(remembered.at),
    parts: new Map(
      Object.entries(parts?._tag === "Some" ? parts.value : {}).flatMap(([path, part]) => {
        const partitions = cuts.get(part.definition)
        return partitions === undefined ? [] : [[path, restored(partitions, part)]]
      })
    )
  }
}

// --- internal ---

const staleOf = (known: Known, existing: PartitionSet.PartitionSet): PartitionSet.PartitionSet => {
  if (isOtherCode(known)) return existing
  return known.facts.ranges.reduce(
    (union, { from }) => PartitionSet.union(union, AssetStatus.onwards(existing, from)),
    known.marked
  )
}

/** An asset that is not partitioned is one unit, whatever its units are called. */
const setOf = (asset: Asset, units: ReadonlyArray<string>): PartitionSet.PartitionSet =>
  PartitionSet.fromKnownKeys(asset.partitions, isPartitioned(asset) || units.length === 0 ? units : [whole])

const withdrawnOf = (asset: Asset, built: ReadonlyArray<string>, others: Iterable<string>): ReadonlySet<string> => {
  if (!isPartitioned(asset) || Partitions.dynamicNames(asset.partitions).length === 0) return new Set()
  const revision = Partitions.revisionsOf(asset.partitions)
  return new Set([...others, ...built.filter((unit) => revision(unit) === undefined)])
}

/** Places among keys that come and go say nothing later, so of these the keys themselves are kept. */
const stored = (set: PartitionSet.PartitionSet): Omit<typeof SetJson.Type, "definition"> => {
  const { partitions } = set
  if (Partitions.dynamicNames(partitions).length > 0) return { spans: [], keys: Array.from(PartitionSet.keys(set)) }
  return Partitions.isMulti(partitions)
    ? { spans: [], ranges: PartitionSet.toJson(set).ranges }
    : { spans: spansOf(set) }
}

const restored = (
  partitions: Partitions.Partitions,
  { keys, ranges, spans }: Omit<typeof SetJson.Type, "definition">
): PartitionSet.PartitionSet => {
  if (keys !== undefined) return PartitionSet.fromKnownKeys(partitions, keys)
  // The definition was found to be the same one, so its ranges can be read.
  const none = PartitionSet.empty(partitions)
  return ranges === undefined
    ? setFrom(partitions, spans)
    : Result.getOrThrow(PartitionSet.fromJson(partitions, { ...PartitionSet.toJson(none), ranges }))
}

const spansOf = ({ spans }: PartitionSet.PartitionSet): ReadonlyArray<readonly [number, number]> =>
  spans.map(({ end, start }) => [start, end])

const setFrom = (
  partitions: Partitions.Partitions,
  spans: ReadonlyArray<readonly [number, number]>
): PartitionSet.PartitionSet =>
  internal.make(
    partitions,
    spans.map(([start, end]) => ({ start, end }))
  )

const cutOf = (partitions: Partitions.Partitions): string =>
  md5(canonicalJson({ ...Partitions.withoutKeys(partitions) }))

const upstreamCuts = (asset: Asset): ReadonlyArray<Partitions.Partitions> => [
  asset.partitions,
  ...asset.inputs.flatMap((input) => upstreamCuts(input.asset))
]

const SetJson = Schema.Struct({
  definition: Schema.String,
  spans: Schema.Array(Schema.Tuple([Schema.Finite, Schema.Finite])),
  keys: Schema.optionalKey(Schema.Array(Schema.String)),
  ranges: Schema.optionalKey(PartitionSet.Json.fields.ranges)
})

const decodeSpans = Schema.decodeUnknownOption(SetJson)

const decodeParts = Schema.decodeUnknownOption(Schema.Record(Schema.String, SetJson))
