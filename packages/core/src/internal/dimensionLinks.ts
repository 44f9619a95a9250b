import type { DimensionMapping, PartitionMapping } from "../PartitionMapping.ts"
import { identity } from "../PartitionMapping.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"

/** How a dimension downstream is made of one upstream, by their places. */
export interface Link {
  readonly down: number
  readonly up: number
  readonly mapping: DimensionMapping
}

/** Two cuts and what relates their dimensions; a cut that has none is one dimension. */
export interface Links {
  readonly from: ReadonlyArray<Partitions.Partitions>
  readonly to: ReadonlyArray<Partitions.Partitions>
  readonly links: ReadonlyArray<Link>
}

/** Undefined where a mapping does not go dimension by dimension, or names dimensions that are not there. */
export const of = (
  mapping: PartitionMapping,
  from: Partitions.Partitions,
  to: Partitions.Partitions
): Links | undefined => {
  const links = linksOf(mapping, from, to)
  return links?.every((link): link is Link => link !== undefined) === true
    ? { from: dimensionsOf(from), to: dimensionsOf(to), links }
    : undefined
}

/** The product of a set per dimension. */
export const product = (
  partitions: Partitions.Partitions,
  sets: ReadonlyArray<PartitionSet.PartitionSet>
): PartitionSet.PartitionSet =>
  Partitions.isMulti(partitions) ? PartitionSet.product(partitions, sets) : (sets[0] ?? PartitionSet.empty(partitions))

/** The cut with other cuts as its dimensions. */
export const recut = (
  partitions: Partitions.Partitions,
  dimensions: ReadonlyArray<Partitions.Partitions>
): Partitions.Partitions => {
  if (!Partitions.isMulti(partitions)) return dimensions[0] ?? partitions
  const places = new Map(partitions.dimensions.map(({ name }, place) => [name, place]))
  return Partitions.mapDimensions(partitions, (one) => {
    const cut = dimensions[places.get(one.name) ?? 0]
    return cut !== undefined && (Partitions.isStatic(cut) || Partitions.isTimeWindows(cut)) ? cut : one.partitions
  })
}

/** The cut without a beginning or an end, for keys that it would need to have. */
export const endless = (partitions: Partitions.Partitions): Partitions.Partitions => {
  if (partitions._tag === "Multi")
    return Partitions.mapDimensions(partitions, ({ partitions: cut }) =>
      cut._tag === "TimeWindows" ? Partitions.endless(cut) : cut
    )
  return partitions._tag === "TimeWindows" ? Partitions.endless(partitions) : partitions
}

// --- internal ---

const dimensionsOf = (partitions: Partitions.Partitions): ReadonlyArray<Partitions.Partitions> =>
  Partitions.isMulti(partitions) ? partitions.dimensions.map((one) => one.partitions) : [partitions]

const placeOf = (partitions: Partitions.Multi, name: string): number =>
  partitions.dimensions.findIndex((one) => one.name === name)

const linksOf = (
  mapping: PartitionMapping,
  from: Partitions.Partitions,
  to: Partitions.Partitions
): ReadonlyArray<Link | undefined> | undefined => {
  const link = (down: number, up: number, mapping: DimensionMapping): Link | undefined =>
    down < 0 || up < 0 ? undefined : { down, up, mapping }
  const isBoth = Partitions.isMulti(from) && Partitions.isMulti(to)
  switch (mapping._tag) {
    case "Identity":
      return isBoth && from.dimensions.length === to.dimensions.length
        ? to.dimensions.map(({ name }, place) =>
            from.dimensions[place]?.name === name ? link(place, place, identity) : undefined
          )
        : undefined
    case "ByDimension":
      return isBoth
        ? mapping.links.map(({ downstream, mapping, upstream }) =>
            link(placeOf(to, downstream), placeOf(from, upstream), mapping)
          )
        : undefined
    case "SingleDimension":
      if (isBoth) return undefined
      if (Partitions.isMulti(from)) return [link(0, placeOf(from, mapping.dimension), mapping.mapping)]
      return Partitions.isMulti(to) ? [link(placeOf(to, mapping.dimension), 0, mapping.mapping)] : undefined
    default:
      return undefined
  }
}
