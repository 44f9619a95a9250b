/**
 * A software-defined asset: one table as a function of its inputs. The definition reads as the data's own journey:
 * where it is cut, where it comes from, when it moves, what must hold, how it lands. It is plain data; nothing runs
 * until a graph of assets is given to the engine.
 */
import * as Schema from "effect/Schema"
import type { AssetCheck } from "./AssetCheck.ts"
import * as AssetLabels from "./AssetLabels.ts"
import { columnsOf, scd2Shape } from "./AssetCheck.ts"
import * as Column from "./Column.ts"
import type { Compute, Definition } from "./Compute.ts"
import { compute as eraseCompute, phantom, source as eraseSource } from "./internal/erase.ts"
import { md5 } from "./internal/hash.ts"
import type { MaterializationPolicy } from "./MaterializationPolicy.ts"
import { eager } from "./MaterializationPolicy.ts"
import type { AsOf, PartitionMapping } from "./PartitionMapping.ts"
import type { Partitions } from "./Partitions.ts"
import { unpartitioned } from "./Partitions.ts"
import type { RowFilter } from "./RowFilter.ts"
import type { Source } from "./Source.ts"
import { compile, identifier, isSql } from "./Sql.ts"
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
  } = {}
): Input<Pick<UpstreamRow, Seen>, Mapping, Name> => ({
  "~row": phantom<Pick<UpstreamRow, Seen>>(),
  name: asset.name,
  asset,
  mapping,
  columns: options.columns ?? asset.columns.map((column) => column.name),
  where: options.where === undefined ? undefined : definedOnly(options.where)
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
  R = never
>(
  name: Name,
  options: {
    readonly description: string
    readonly labels?: Partial<AssetLabels.AssetLabels>
    readonly columns: Column.Struct<Fields>
    readonly partitions?: Partitions
    readonly inputs: In & CheckedInputs<In>
    readonly write: Write
    readonly policy?: MaterializationPolicy
    readonly checks?: ReadonlyArray<AssetCheck<keyof Fields & string>>
    readonly codeVersion?: string
    readonly compute: Definition<In, WriteStrategy.Staged<Write, Schema.Struct<Fields>["Type"]>, R>
  }
): Asset<Name, Schema.Struct<Fields>["Type"], R, In[keyof In]["name"]> => {
  const inputs = Object.entries<Input>(options.inputs).map(([as, { asset, columns, mapping, where }]): NamedInput => ({
    as,
    asset,
    mapping,
    columns,
    where
  }))
  const compute = eraseCompute<R>(options.compute)
  const definition = {
    name,
    description: options.description,
    labels: AssetLabels.make(options.labels),
    columns: Column.fromStruct(options.columns),
    partitions: options.partitions ?? unpartitioned,
    inputs,
    write: options.write,
    policy: options.policy ?? eager,
    checks:
      options.write._tag === "Scd2"
        ? [...(options.checks ?? []), scd2Shape(shapeOf(options.write))]
        : (options.checks ?? []),
    body: { _tag: "Compute", compute } as const
  }
  validate(definition)
  return {
    [TypeId]: phantom(),
    ...definition,
    codeVersion: withViews(options.codeVersion ?? deriveCodeVersion(definition, compute), inputs)
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
    readonly policy?: MaterializationPolicy
    readonly checks?: ReadonlyArray<AssetCheck<keyof Fields & string>>
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
    policy: options.policy ?? eager,
    checks: options.checks ?? [],
    body: { _tag: "Source", source: eraseSource<R>(options.source) } as const
  }
  validate(definition)
  return {
    [TypeId]: phantom(),
    ...definition,
    codeVersion:
      options.codeVersion ?? md5(Column.canonicalJson({ columns: definition.columns, write: definition.write }))
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
 * The columns by which changed units are told apart: the key of a keyed asset, the partition column, or none.
 *
 * @category getters
 * @since 0.1.0
 */
export const unitColumns = (self: Pick<Asset, "write">): ReadonlyArray<string> => {
  switch (self.write._tag) {
    case "Upsert":
    case "Scd2":
      return self.write.key
    case "ReplacePartitions":
      return [self.write.column]
    default:
      return []
  }
}

/**
 * The partitions by which an asset's rows may be asked for, and the column that tells them; undefined for none.
 *
 * @category getters
 * @since 0.1.0
 */
export const partitionedBy = (
  self: Pick<Asset, "write" | "partitions">
): { readonly column: string; readonly partitions: Partitions } | undefined => {
  switch (self.write._tag) {
    case "ReplacePartitions":
      return { column: self.write.column, partitions: self.partitions }
    case "Upsert":
      return self.write.partitionedBy
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

// --- internal ---

const definedOnly = (where: { readonly [column: string]: ReadonlyArray<string> | undefined }): RowFilter =>
  Object.fromEntries(
    Object.entries(where).flatMap(([column, values]) => (values === undefined ? [] : [[column, values]]))
  )

const shapeOf = (write: WriteStrategy.Scd2): Parameters<typeof scd2Shape<string>>[0] => {
  const [first, ...rest] = write.key
  return { ...write, key: [first ?? write.surrogateKey, ...rest] }
}

type Unchecked = Pick<Asset, "name" | "columns" | "partitions" | "inputs" | "write" | "checks">

const validate = (asset: Unchecked): void => {
  const fail = (message: string): never => {
    throw new InvalidAsset({ asset: asset.name, message: `Asset "${asset.name}": ${message}` })
  }
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(asset.name)) {
    fail("a name is lower-case snake_case, begins with a letter and has at most 63 characters, for it names the table.")
  }
  for (const name of WriteStrategy.primaryKey(asset.write)) {
    if (columnUnsafe(asset, name).isNullable) fail(`key column "${name}" is nullable; a key column always has a value.`)
  }
  for (const check of asset.checks) validateCheck(asset, check, fail)
  if (asset.write._tag === "Scd2" && columnUnsafe(asset, asset.write.validFrom).kind._tag !== "Timestamp") {
    fail(`validFrom "${asset.write.validFrom}" is where a version begins, so it is a timestamp.`)
  }
  const cut = partitionedBy(asset)
  if (cut !== undefined) validatePartitionColumn({ ...asset, partitions: cut.partitions }, cut.column, fail)
  if (asset.write._tag === "ReplacePartitions") {
    const { column, key } = asset.write
    if (!key.includes(column)) {
      fail(
        `its key lacks the partition column "${column}"; without it a row that moves to another partition meets itself.`
      )
    }
  } else if (asset.partitions._tag !== "Unpartitioned" && asset.write._tag !== "View") {
    fail("it has partitions, so its write strategy is replacePartitions (or view).")
  }
  for (const upstream of asset.inputs) validateInput(asset, upstream, fail)
}

const validateCheck = (asset: Unchecked, check: AssetCheck, fail: (message: string) => never): void => {
  columnsOf(check).forEach((name) => columnUnsafe(asset, name))
  const { rule } = check
  if (rule._tag !== "Relationship") return
  const other = asset.inputs.find(({ as }) => as === rule.input)
  if (other === undefined || !other.columns.includes(rule.to)) {
    fail(`check "${check.name}" looks into ${rule.input}.${rule.to}, which no input shows.`)
  }
}

const validatePartitionColumn = (asset: Unchecked, name: string, fail: (message: string) => never): void => {
  const kind = columnUnsafe(asset, name).kind._tag
  switch (asset.partitions._tag) {
    case "Unpartitioned":
      return fail("replacePartitions needs partitions; for a whole table use replace.")
    case "Static":
      return kind === "Text" ? undefined : fail(`partition column "${name}" holds a static key, so it is text.`)
    case "TimeWindows":
      return kind === "Date" || kind === "Timestamp"
        ? undefined
        : fail(`partition column "${name}" holds a time, so it is a date or a timestamp.`)
  }
}

const validateInput = (asset: Unchecked, upstream: NamedInput, fail: (message: string) => never): void => {
  const { mapping } = upstream
  const grain = WriteStrategy.grain(asset.write)
  upstream.columns.forEach((name) => columnUnsafe(upstream.asset, name))
  for (const name of Object.keys(upstream.where ?? {})) {
    const kind = columnUnsafe(upstream.asset, name).kind._tag
    if (kind === "Decimal" || kind === "Timestamp" || kind === "Json") {
      fail(
        `input "${upstream.as}" is filtered by "${name}", a ${kind.toLowerCase()}; a filter compares texts, dates, integers or booleans.`
      )
    }
  }
  switch (mapping._tag) {
    case "All":
      return
    case "ByColumns": {
      const units = unitColumns(asset)
      mapping.columns.forEach((name) => columnUnsafe(upstream.asset, name))
      if (upstream.asset.write._tag === "View") {
        return fail(
          `input "${upstream.as}" is a view, which keeps no old rows to map by column; use all, identity or timeWindows.`
        )
      }
      if (units.length > 0 && units.length !== mapping.columns.length) {
        return fail(
          `input "${upstream.as}" maps ${mapping.columns.length} columns to a unit of ${units.length} (${units.join(", ")}).`
        )
      }
      if (asset.partitions._tag === "TimeWindows") mapping.columns.forEach((name) => validateTime(upstream, name, fail))
      return
    }
    case "Identity":
      return WriteStrategy.grain(upstream.asset.write) === grain ||
        upstream.asset.write._tag === "View" ||
        asset.write._tag === "View"
        ? undefined
        : fail(`input "${upstream.as}" is mapped by identity, but its units are not of the same grain.`)
    case "TimeWindows":
      return asset.partitions._tag === "TimeWindows" && upstream.asset.partitions._tag === "TimeWindows"
        ? undefined
        : fail(`input "${upstream.as}" is mapped by time windows, but one side has none.`)
    case "Onwards":
      validateTime(upstream, mapping.column, fail)
      return asset.partitions._tag === "TimeWindows" && upstream.asset.write._tag !== "View"
        ? undefined
        : fail(`input "${upstream.as}" is mapped onwards, which needs time partitions here and a table there.`)
    case "AsOf":
      return upstream.asset.write._tag === "Scd2" &&
        asset.inputs.find(({ as }) => as === mapping.facts)?.mapping._tag === "ByColumns"
        ? undefined
        : fail(
            `input "${upstream.as}" is mapped as of a time: it must be an scd2 asset, and its facts "${mapping.facts}" be mapped by column.`
          )
  }
}

/** A time partition is found by a column that holds a time. */
const validateTime = (upstream: NamedInput, name: string, fail: (message: string) => never): void => {
  const kind = columnUnsafe(upstream.asset, name).kind._tag
  if (kind !== "Date" && kind !== "Timestamp") {
    fail(`input "${upstream.as}" is mapped to time partitions by "${name}", which is neither a date nor a timestamp.`)
  }
}

const deriveCodeVersion = (
  asset: Pick<Asset, "columns" | "partitions" | "inputs" | "write">,
  { rows, sql }: Compute<unknown>
): string =>
  md5(
    Column.canonicalJson({
      columns: asset.columns.map(({ kind, name, isNullable }) => ({ kind, name, isNullable })),
      partitions: { ...cutOf(asset.partitions), range: rangeOf(asset.partitions) },
      inputs: asset.inputs.map(({ as, asset: upstream, columns, mapping, where }) => ({
        as,
        asset: upstream.name,
        columns,
        partitions: cutOf(upstream.partitions),
        mapping,
        where: where ?? null
      })),
      write: asset.write,
      sql: sql === undefined ? null : sqlText(asset.inputs, sql),
      rows: sql === undefined && rows !== undefined ? rows.toString() : null
    })
  )

/** What decides which rows a partition holds. */
const cutOf = (partitions: Partitions) =>
  partitions._tag === "TimeWindows"
    ? { cron: partitions.cron, timeZone: partitions.timeZone, exclusions: partitions.exclusions }
    : { cron: partitions._tag }

/**
 * Which partitions there are. A change outside of them marks nothing, so code that has more of them cannot trust what was
 * built by code that had fewer.
 */
const rangeOf = (partitions: Partitions) => {
  switch (partitions._tag) {
    case "TimeWindows":
      return [partitions.start, partitions.end ?? null]
    case "Static":
      return partitions.keys
    case "Unpartitioned":
      return []
  }
}

/** A view keeps no rows that could differ from its new definition; so that of its readers is another one with it. */
const withViews = (codeVersion: string, inputs: ReadonlyArray<NamedInput>): string => {
  const views = inputs.flatMap(({ asset }) => (asset.write._tag === "View" ? [asset.codeVersion] : []))
  return views.length === 0 ? codeVersion : `${codeVersion}+${md5(views.join()).slice(0, 8)}`
}

/** The query over symbolic relations; a query that is an Effect stands for itself by its source text. */
const sqlText = (inputs: ReadonlyArray<NamedInput>, query: NonNullable<Compute<unknown>["sql"]>): string => {
  const relations = Object.fromEntries([...inputs.map(({ as }) => as), "units"].map((as) => [as, identifier(as)]))
  const result = query(relations)
  return isSql(result) ? JSON.stringify(compile(result)) : query.toString()
}
