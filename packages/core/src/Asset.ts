/**
 * A software-defined asset: one table as a function of its inputs. The definition reads as the data's own journey:
 * where it is cut, where it comes from, when it moves, what must hold, how it lands. It is plain data; nothing runs
 * until a graph of assets is given to the engine.
 */
import * as Schema from "effect/Schema"
import type { AssetCheck } from "./AssetCheck.ts"
import { scd2Shape } from "./AssetCheck.ts"
import * as AssetLabels from "./AssetLabels.ts"
import * as Column from "./Column.ts"
import type { Compute, Definition } from "./Compute.ts"
import * as CodeVersion from "./internal/codeVersion.ts"
import * as DefinitionRules from "./internal/definitionRules.ts"
import { compute as eraseCompute, phantom, source as eraseSource } from "./internal/erase.ts"
import type { MaterializationPolicy } from "./MaterializationPolicy.ts"
import { eager } from "./MaterializationPolicy.ts"
import type { AsOf, PartitionMapping } from "./PartitionMapping.ts"
import type { Multi, Partitions } from "./Partitions.ts"
import { unpartitioned } from "./Partitions.ts"
import type { RowFilter } from "./RowFilter.ts"
import type { Source } from "./Source.ts"
import * as Storage from "./Storage.ts"
import * as Tolerance from "./Tolerance.ts"
import * as WriteStrategy from "./WriteStrategy.ts"

/**
 * The type id of `Asset`.
 *
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = "~@assay/core/Asset"

/**
 * The type of `Asset`'s type id.
 *
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~@assay/core/Asset"

/**
 * The name of an asset: also the name of its table.
 *
 * @category models
 * @since 0.1.0
 */
export type AssetKey = string

/**
 * A software-defined asset. `Row` is the row type of its table, `R` the services its compute needs, `Upstream` the
 * names of the assets it reads.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asset<
  out Name extends string = string,
  out Row = unknown,
  out R = unknown,
  out Upstream extends string = string
> {
  readonly [TypeId]: { readonly row: Row; readonly services: R; readonly upstream: Upstream }
  readonly name: Name
  readonly description: string
  readonly labels: AssetLabels.AssetLabels
  readonly columns: ReadonlyArray<Column.Column>
  readonly partitions: Partitions
  readonly inputs: ReadonlyArray<NamedInput>
  readonly write: WriteStrategy.WriteStrategy
  readonly storage: Storage.Storage
  readonly policy: MaterializationPolicy
  readonly checks: ReadonlyArray<AssetCheck>
  readonly body: Body<R>
  readonly codeVersion: string
}

/**
 * Where an asset's rows come from: from outside, or from its inputs.
 *
 * @category models
 * @since 0.1.0
 */
export type Body<R> =
  | { readonly _tag: "Source"; readonly source: Source<Column.Row, R> }
  | { readonly _tag: "Compute"; readonly compute: Compute<R> }

/**
 * What an asset reads of another: which of its columns, which of its rows, and what a change there makes stale here.
 *
 * **Details**
 *
 * The compute sees only the named columns and the matching rows. So only a change in these can change the result, and
 * only such a change makes anything stale.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input<out Row = unknown, out Mapping = PartitionMapping, out Name extends string = string> {
  readonly "~row": Row
  readonly name: Name
  readonly asset: Asset
  readonly mapping: Mapping
  readonly columns: ReadonlyArray<string>
  readonly where: RowFilter | undefined
  readonly tolerance: Tolerance.Tolerance
}

/**
 * An input under the name that the compute uses for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface NamedInput {
  readonly as: string
  readonly asset: Asset
  readonly mapping: PartitionMapping
  readonly columns: ReadonlyArray<string>
  readonly where: RowFilter | undefined
  /** Which upstream windows may be missing when a unit is built. */
  readonly tolerance: Tolerance.Tolerance
}

/**
 * A definition that contradicts itself. Thrown where the asset is defined.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidAsset extends Schema.TaggedError<InvalidAsset>("@assay/core/InvalidAsset")("InvalidAsset", {
  asset: Schema.String,
  message: Schema.String
}) {}

/**
 * The row type of an asset's table.
 *
 * @category type-level
 * @since 0.1.0
 */
export type Row<A> = A extends Asset<string, infer Row> ? Row : never

/**
 * The services an asset's compute needs.
 *
 * @category type-level
 * @since 0.1.0
 */
export type Services<A> = A extends Asset<string, unknown, infer R> ? R : never

/**
 * The inputs of an asset by the names its compute uses.
 *
 * @category models
 * @since 0.1.0
 */
export type Inputs = { readonly [as: string]: Input }

/**
 * Declares what an asset reads of another asset.
 *
 * @category constructors
 * @since 0.1.0
 */
export const input = <
  Name extends string,
  UpstreamRow,
  const Mapping extends PartitionMapping<keyof UpstreamRow & string>,
  const Seen extends keyof UpstreamRow & string = keyof UpstreamRow & string
>(
  asset: Asset<Name, UpstreamRow>,
  mapping: Mapping,
  options: {
    readonly columns?: ReadonlyArray<Seen>
    readonly where?: { readonly [C in keyof UpstreamRow]?: ReadonlyArray<string> }
    /** Which upstream windows may be missing when a unit is built; it is built again when they come. */
    readonly allowMissing?: Tolerance.AllowMissing
  } = {}
): Input<Pick<UpstreamRow, Seen>, Mapping, Name> => ({
  "~row": phantom<Pick<UpstreamRow, Seen>>(),
  name: asset.name,
  asset,
  mapping,
  columns: options.columns ?? asset.columns.map((column) => column.name),
  where: options.where === undefined ? undefined : definedOnly(options.where),
  tolerance: Tolerance.make(options.allowMissing ?? false)
})

/**
 * Defines an asset that is computed from its inputs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  const Fields extends Schema.Struct.Fields,
  const In extends Inputs,
  const Write extends WriteStrategy.WriteStrategy<keyof Fields & string>,
  const Cut extends Partitions = Partitions,
  R = never
>(
  name: Name,
  options: {
    readonly description: string
    readonly labels?: Partial<AssetLabels.AssetLabels>
    readonly columns: Column.Struct<Fields>
    readonly partitions?: Cut
    readonly inputs: In & CheckedInputs<In>
    readonly write: Write & CheckedWrite<Cut, Write>
    /** How the table lies on disk: one table, if it says nothing. */
    readonly storage?: Storage.Storage<keyof Fields & string>
    readonly policy?: MaterializationPolicy
    readonly checks?: ReadonlyArray<AssetCheck<keyof Fields & string>>
    /** Stands for the compute, where what it does is not all in the text of its query or function. */
    readonly codeVersion?: string
    readonly compute: Definition<In, WriteStrategy.Staged<Write, Schema.Struct<Fields>["Type"]>, R>
  }
): Asset<Name, Schema.Struct<Fields>["Type"], R, In[keyof In]["name"]> => {
  const inputs = Object.entries<Input>(options.inputs).map(
    ([as, { asset, columns, mapping, tolerance, where }]): NamedInput => ({
      as,
      asset,
      mapping,
      columns,
      where,
      tolerance
    })
  )
  const compute = eraseCompute<R>(options.compute)
  const definition = {
    name,
    description: options.description,
    labels: AssetLabels.make(options.labels),
    columns: Column.fromStruct(options.columns),
    partitions: options.partitions ?? unpartitioned,
    inputs,
    write: options.write,
    storage: options.storage ?? Storage.single,
    policy: options.policy ?? eager,
    checks:
      options.write._tag === "Scd2"
        ? [...(options.checks ?? []), scd2Shape(shapeOf(options.write))]
        : (options.checks ?? []),
    body: { _tag: "Compute", compute } as const
  }
  return {
    [TypeId]: phantom(),
    ...sound(definition),
    codeVersion: CodeVersion.ofComputed({ ...definition, compute }, options.codeVersion)
  }
}

/**
 * Defines an asset whose rows come from outside.
 *
 * **Details**
 *
 * The source yields rows without the columns that the engine fills: the landing's id and time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const source = <
  const Name extends string,
  const Fields extends Schema.Struct.Fields,
  const Filled extends keyof Fields & string,
  R = never
>(
  name: Name,
  options: {
    readonly description: string
    readonly labels?: Partial<AssetLabels.AssetLabels>
    readonly columns: Column.Struct<Fields>
    readonly write: WriteStrategy.Append<keyof Fields & string> & { readonly batch: Filled; readonly loadedAt: Filled }
    /** How the table lies on disk: one table, if it says nothing. */
    readonly storage?: Storage.Storage<keyof Fields & string>
    readonly policy?: MaterializationPolicy
    readonly checks?: ReadonlyArray<AssetCheck<keyof Fields & string>>
    /** Stands for how the source reads. */
    readonly codeVersion?: string
    readonly source: Source<Omit<Schema.Struct<Fields>["Type"], Filled>, R>
  }
): Asset<Name, Schema.Struct<Fields>["Type"], R, never> => {
  const definition = {
    name,
    description: options.description,
    labels: AssetLabels.make(options.labels),
    columns: Column.fromStruct(options.columns),
    partitions: unpartitioned,
    inputs: [],
    write: options.write,
    storage: options.storage ?? Storage.single,
    policy: options.policy ?? eager,
    checks: options.checks ?? [],
    body: { _tag: "Source", source: eraseSource<R>(options.source) } as const
  }
  return {
    [TypeId]: phantom(),
    ...sound(definition),
    codeVersion: CodeVersion.ofSource(definition, options.codeVersion)
  }
}

/**
 * The column of that name. Throws where there is none, which `make` has made impossible for declared names.
 *
 * @category getters
 * @since 0.1.0
 */
export const columnUnsafe = (self: Pick<Asset, "name" | "columns">, name: string): Column.Column => {
  const column = self.columns.find((candidate) => candidate.name === name)
  if (column === undefined) {
    throw new InvalidAsset({
      asset: self.name,
      message: `Asset "${self.name}" has no column "${name}". Its columns are ${self.columns.map((c) => c.name).join(", ")}.`
    })
  }
  return column
}

/**
 * The columns by which changed units are told apart: the key of a keyed asset, the partition column or those of the
 * dimensions in their order, or none.
 *
 * @category getters
 * @since 0.1.0
 */
export const unitColumns = (self: Pick<Asset, "write" | "partitions">): ReadonlyArray<string> => {
  switch (self.write._tag) {
    case "Upsert":
    case "Scd2":
      return self.write.key
    case "ReplacePartitions":
      return WriteStrategy.cutColumns(self.write.column, self.partitions)
    default:
      return []
  }
}

/**
 * The partitions by which an asset's rows may be asked for, and the columns that tell them, one for each dimension; undefined
 * for none.
 *
 * @category getters
 * @since 0.1.0
 */
export const partitionedBy = (
  self: Pick<Asset, "write" | "partitions">
): { readonly columns: ReadonlyArray<string>; readonly partitions: Partitions } | undefined => {
  const by = (column: WriteStrategy.Cut, partitions: Partitions) => ({
    columns: WriteStrategy.cutColumns(column, partitions),
    partitions
  })
  switch (self.write._tag) {
    case "ReplacePartitions":
      return by(self.write.column, self.partitions)
    case "Upsert": {
      const { partitionedBy } = self.write
      return partitionedBy && by(partitionedBy.column, partitionedBy.partitions)
    }
    default:
      return undefined
  }
}

/**
 * Tells whether the asset's units are partitions that come to exist one by one.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPartitioned = (self: Pick<Asset, "write" | "partitions">): boolean =>
  self.write._tag === "ReplacePartitions"

/**
 * Rejects, at compile time, inputs that cannot work; the type of an offending input becomes a sentence.
 *
 * @category type-level
 * @since 0.1.0
 */
export type CheckedInputs<In extends Inputs> = { readonly [As in keyof In]: CheckedInput<In, In[As]> } & {
  readonly units?: "The name `units` is taken: it stands for the units being computed."
}

type CheckedInput<In extends Inputs, I> =
  I extends Input<unknown, AsOf<infer Facts, infer Key, infer At>>
    ? Facts extends keyof In
      ? Exclude<Key | At, keyof In[Facts]["~row"]> extends infer Missing extends string
        ? [Missing] extends [never]
          ? I
          : `The input "${Facts}" shows no column "${Missing}" that the as-of mapping reads.`
        : never
      : `The as-of mapping names facts "${Facts}", but no input has that name.`
    : I

/**
 * Rejects, at compile time, a write strategy whose columns are not those of the dimensions; its type becomes a sentence.
 *
 * @category type-level
 * @since 0.1.0
 */
export type CheckedWrite<Cut, Write> = Write extends WriteStrategy.ReplacePartitions & { readonly column: infer By }
  ? Cut extends Multi<infer Dimension>
    ? By extends string
      ? "The partitions have dimensions, so replacePartitions names a column for each of them."
      : Exclude<Dimension, NamesOf<By>> extends infer Missing extends string
        ? [Missing] extends [never]
          ? Exclude<NamesOf<By>, Dimension> extends infer Surplus extends string
            ? [Surplus] extends [never]
              ? unknown
              : `The partitions have no such dimension: ${Surplus}.`
            : unknown
          : `The write strategy names no column for a dimension: ${Missing}.`
        : unknown
    : unknown
  : unknown

/** The names that a record has by themselves: the index signature of every cut holds any. */
type NamesOf<By> = keyof {
  [Name in keyof By as string extends Name ? never : number extends Name ? never : Name]: true
}

// --- internal ---

const definedOnly = (where: { readonly [column: string]: ReadonlyArray<string> | undefined }): RowFilter =>
  Object.fromEntries(
    Object.entries(where).flatMap(([column, values]) => (values === undefined ? [] : [[column, values]]))
  )

const shapeOf = (write: WriteStrategy.Scd2): Parameters<typeof scd2Shape<string>>[0] => {
  const [first, ...rest] = write.key
  return { ...write, key: [first ?? write.surrogateKey, ...rest] }
}

/** The definition, where nothing is wrong with it. */
const sound = <A extends Pick<Asset, "name" | "columns" | "partitions" | "inputs" | "write" | "storage" | "checks">>(
  definition: A
): A => {
  const [problem] = DefinitionRules.problems({
    ...definition,
    unit: unitColumns(definition),
    cut: partitionedBy(definition)
  })
  if (problem === undefined) return definition
  throw new InvalidAsset({ asset: definition.name, message: `Asset "${definition.name}": ${problem}` })
}
