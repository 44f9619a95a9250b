/**
 * The version of an asset's code: a hash of everything in its definition that decides what its rows are (ADR 0008 and
 * 0012). It knows definitions by their shape only, so that `Asset` can call it.
 */
import * as Column from "../Column.ts"
import type { Compute } from "../Compute.ts"
import { type PartitionMapping, readsPartitions } from "../PartitionMapping.ts"
import type { Partitions } from "../Partitions.ts"
import type { RowFilter } from "../RowFilter.ts"
import { compile, identifier, isSql } from "../Sql.ts"
import type { WriteStrategy } from "../WriteStrategy.ts"
import { md5 } from "./hash.ts"

interface Input {
  readonly as: string
  readonly asset: {
    readonly name: string
    readonly partitions: Partitions
    readonly write: WriteStrategy
    readonly codeVersion: string
  }
  readonly mapping: PartitionMapping
  readonly columns: ReadonlyArray<string>
  readonly where: RowFilter | undefined
}

/**
 * The version of a computed asset. A given version stands for the compute, whose functions need not say all of what it
 * does; for nothing else, or a changed mapping or column would go unnoticed.
 */
export const ofComputed = (
  definition: {
    readonly columns: ReadonlyArray<Column.Column>
    readonly partitions: Partitions
    readonly inputs: ReadonlyArray<Input>
    readonly write: WriteStrategy
    readonly compute: Compute<unknown>
  },
  given: string | undefined
): string => {
  const { columns, compute, inputs, partitions, write } = definition
  return stamp(
    {
      columns: columns.map(shapeOf),
      partitions: { ...cutOf(partitions), range: [...rangeOf(partitions), endOffsetOf(partitions)] },
      inputs: inputs.map(({ as, asset, columns, mapping, where }) => ({
        as,
        asset: asset.name,
        columns,
        partitions: { ...cutOf(asset.partitions), range: readsPartitions(mapping) ? rangeOf(asset.partitions) : [] },
        mapping,
        where: where ?? null,
        // A view keeps no rows that could differ from its new definition; so that of its readers is another one with it.
        view: asset.write._tag === "View" ? asset.codeVersion : null
      })),
      write: { ...write, ...hashingOf(write) }
    },
    given ?? computeText(inputs, compute),
    given
  )
}

/** The version of a source asset. A given version stands for how its source reads. */
export const ofSource = (
  { columns, write }: { readonly columns: ReadonlyArray<Column.Column>; readonly write: WriteStrategy },
  given: string | undefined
): string => stamp({ columns: columns.map(shapeOf), write }, given ?? "", given)

// --- internal ---

/** A hash; behind the given version, where there is one, for people to recognize. */
const stamp = (definition: object, compute: string, given: string | undefined): string => {
  const hash = md5(Column.canonicalJson({ ...definition, compute }))
  return given === undefined ? hash : `${given}+${hash.slice(0, 16)}`
}

const shapeOf = ({ isNullable, kind, name }: Column.Column) => ({ kind, name, isNullable })

/** What decides which rows a partition holds. */
const cutOf = (partitions: Partitions): object => {
  switch (partitions._tag) {
    case "TimeWindows":
      return { cron: partitions.cron, timeZone: partitions.timeZone, exclusions: partitions.exclusions }
    case "Multi":
      return { dimensions: partitions.dimensions.map((one) => [one.name, cutOf(one.partitions)]) }
    default:
      return { cron: partitions._tag, ...sharedName(partitions) }
  }
}

const sharedName = (partitions: Partitions) =>
  partitions._tag === "Static" && partitions.dynamic !== undefined ? { dynamic: partitions.dynamic.name } : {}

/**
 * Which partitions there are. A change outside of them marks nothing, so code that has more of them cannot trust what was
 * built by code that had fewer.
 */
const rangeOf = (partitions: Partitions): ReadonlyArray<string | null> => {
  switch (partitions._tag) {
    case "TimeWindows":
      return [partitions.start, partitions.end ?? null]
    case "Static":
      // Keys of the ledger come and go without the code: what comes is built, and what goes is withdrawn, as a change.
      return partitions.dynamic === undefined ? partitions.keys : []
    case "Unpartitioned":
      return []
    case "Multi":
      return partitions.dimensions.map((one) => JSON.stringify(rangeOf(one.partitions)))
  }
}

/** How the surrogate key of several parts is made was changed once: what was built before has other ones. */
const hashingOf = (write: WriteStrategy) =>
  write._tag === "Scd2" && write.key.length > 1 ? { surrogateKeyOf: "hashed parts" } : {}

/** Code by which fewer partitions exist withdraws those that are too many; it must be known as another one. */
const endOffsetOf = (partitions: Partitions): number | ReadonlyArray<unknown> => {
  switch (partitions._tag) {
    case "TimeWindows":
      return partitions.endOffset
    case "Multi":
      return partitions.dimensions.map((one) => endOffsetOf(one.partitions))
    default:
      return 0
  }
}

/** The query over symbolic relations; a query that is an Effect, and rows, stand for themselves by their source text. */
const computeText = (inputs: ReadonlyArray<Input>, { rows, sql }: Compute<unknown>): string => {
  if (sql === undefined) return rows === undefined ? "" : rows.toString()
  const relations = Object.fromEntries([...inputs.map(({ as }) => as), "units"].map((as) => [as, identifier(as)]))
  const result = sql(relations)
  return isSql(result) ? JSON.stringify(compile(result)) : sql.toString()
}
