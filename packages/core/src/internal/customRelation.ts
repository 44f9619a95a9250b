import { type Custom, InvalidMapping } from "../PartitionMapping.ts"
import * as Partitions from "../Partitions.ts"
import * as PartitionSet from "../PartitionSet.ts"
import * as DimensionLinks from "./dimensionLinks.ts"

export const contradiction = (
  mapping: Custom,
  options: { readonly upstream: Partitions.Partitions; readonly downstream: Partitions.Partitions }
): string | undefined => {
  const { downstream, upstream } = options
  for (const key of sampleOf(upstream)) {
    const { problem } = reachesOf(mapping, key, downstream)
    if (problem !== undefined) return problem
  }
  for (const key of sampleOf(downstream)) {
    const { problem } = needsOf(mapping, key, upstream)
    if (problem !== undefined) return problem
  }
  return undefined
}

export const reachedBy = (mapping: Custom, keys: Iterable<string>, to: Partitions.Partitions): ReadonlyArray<string> =>
  Array.from(keys).flatMap((key) => agreed(reachesOf(mapping, key, to)))

export const neededBy = (mapping: Custom, keys: Iterable<string>, from: Partitions.Partitions): ReadonlyArray<string> =>
  Array.from(keys).flatMap((key) => agreed(needsOf(mapping, key, from)))

// --- internal ---

/** The keys that a key is related to, or what is wrong with them. */
interface Related {
  readonly keys: ReadonlyArray<string>
  readonly problem: string | undefined
}

const reachesOf = (mapping: Custom, key: string, to: Partitions.Partitions): Related => {
  const keys = mapping.downstream(key)
  const stranger = keys.find((reached) => !Partitions.isKey(DimensionLinks.endless(to), reached))
  if (stranger !== undefined) return { keys, problem: strange(mapping, `"${key}" reach`, stranger, to) }
  const denied = keys.find((reached) => !mapping.upstream(reached).includes(key))
  return {
    keys,
    problem: denied === undefined ? undefined : denial(mapping, { reaches: key, isMadeOf: denied }, "upstream")
  }
}

const needsOf = (mapping: Custom, key: string, from: Partitions.Partitions): Related => {
  const keys = mapping.upstream(key)
  const stranger = keys.find((needed) => !Partitions.isKey(DimensionLinks.endless(from), needed))
  if (stranger !== undefined) return { keys, problem: strange(mapping, `"${key}" be made of`, stranger, from) }
  const denied = keys.find((needed) => !mapping.downstream(needed).includes(key))
  return {
    keys,
    problem: denied === undefined ? undefined : denial(mapping, { reaches: denied, isMadeOf: key }, "downstream")
  }
}

const strange = ({ name }: Custom, does: string, key: string, partitions: Partitions.Partitions): string =>
  `mapping "${name}" has ${does} "${key}", which is no key of ${Partitions.format(partitions)}.`

const denial = (
  { name }: Custom,
  pair: { readonly reaches: string; readonly isMadeOf: string },
  denier: "downstream" | "upstream"
): string => {
  const reach = `"${pair.reaches}" reaches "${pair.isMadeOf}"`
  const need = `"${pair.isMadeOf}" is made of "${pair.reaches}"`
  const [says, denies] = denier === "upstream" ? [reach, need] : [need, reach]
  return `mapping "${name}" says that ${says}, but not that ${denies}; its two directions must be one relation.`
}

const agreed = ({ keys, problem }: Related): ReadonlyArray<string> => {
  if (problem !== undefined) throw new InvalidMapping({ message: problem })
  return keys
}

/** All names; of windows the first forty, and then some that lie ever farther apart; of dimensions the first ones of each. */
const sampleOf = (partitions: Partitions.Partitions): ReadonlyArray<string> => {
  if (partitions._tag === "Multi") {
    const each = Math.max(2, Math.floor(400 ** (1 / partitions.dimensions.length)))
    return partitions.dimensions
      .map((one) => sampleOf(one.partitions).slice(0, each))
      .reduce((keys, parts) => keys.flatMap((key) => parts.map((part) => `${key}${Partitions.delimiter}${part}`)))
  }
  if (partitions._tag !== "TimeWindows") return Array.from(PartitionSet.keys(PartitionSet.all(partitions)))
  const { end, start } = Partitions.range(partitions)
  return [...Array.from({ length: 40 }, (_, index) => index), 64, 128, 256, 512, 1024, 2048, 4096]
    .map((distance) => Partitions.shift(partitions, start, distance))
    .flatMap((window) => (window.start < end ? [Partitions.keyOf(partitions, window)] : []))
}
