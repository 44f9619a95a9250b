/**
 * What can be wrong with the definition of an asset that its types do not tell? Every problem is a sentence; none is
 * repaired, because only the author can. It knows definitions by their shape only, so that `Asset` can call it.
 */
import { type AssetCheck, columnsOf } from "../AssetCheck.ts"
import { type Column, type Kind, postgresType } from "../Column.ts"
import {
  type AsOf,
  type Custom,
  type ByDimension,
  type DimensionMapping,
  format,
  type Keys,
  type Last,
  type PartitionMapping,
  type SingleDimension,
  type StaticMap
} from "../PartitionMapping.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import type { RowFilter } from "../RowFilter.ts"
import type { Storage } from "../Storage.ts"
import type { Tolerance } from "../Tolerance.ts"
import * as WriteStrategy from "../WriteStrategy.ts"
import * as ColumnNames from "./columnNames.ts"

interface Upstream {
  readonly name: string
  readonly columns: ReadonlyArray<Column>
  readonly partitions: Partitions.Partitions
  readonly write: WriteStrategy.WriteStrategy
}

interface Input {
  readonly as: string
  readonly asset: Upstream
  readonly mapping: PartitionMapping
  readonly columns: ReadonlyArray<string>
  readonly where: RowFilter | undefined
  readonly tolerance: Tolerance
}

interface Definition extends Upstream {
  readonly inputs: ReadonlyArray<Input>
  readonly checks: ReadonlyArray<AssetCheck>
  readonly storage: Storage
  /** The columns of its unit. */
  readonly unit: ReadonlyArray<string>
  /** The columns that tell in which partition a row lies, one for each dimension, where there are any. */
  readonly cut: { readonly columns: ReadonlyArray<string>; readonly partitions: Partitions.Partitions } | undefined
}

type Problems = Generator<string, void>

/** The problems of a definition, the first ones first. */
export function* problems(definition: Definition): Problems {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(definition.name)) {
    yield "a name is lower-case snake_case, begins with a letter and has at most 63 characters, for it names the table."
  }
  yield* ColumnNames.problems(definition.columns, definition.write)
  yield* ofKey(definition)
  for (const check of definition.checks) yield* ofCheck(definition, check)
  yield* ofPartitions(definition)
  for (const input of definition.inputs) yield* ofInput(definition, input)
  yield* ofSums(definition)
  yield* ofStorage(definition)
}

// --- internal ---

const kindOf = ({ columns }: Upstream, name: string): Kind["_tag"] | undefined =>
  columns.find((column) => column.name === name)?.kind._tag

const typeOf = ({ columns }: Upstream, name: string): string | undefined => {
  const column = columns.find((candidate) => candidate.name === name)
  return column === undefined ? undefined : postgresType(column.kind)
}

const isTime = (kind: Kind["_tag"] | undefined): boolean => kind === "Date" || kind === "Timestamp"

function* ofColumns(asset: Upstream, names: ReadonlyArray<string>): Problems {
  for (const name of names) {
    if (kindOf(asset, name) === undefined) {
      const known = asset.columns.map((column) => column.name).join(", ")
      yield `"${asset.name}" has no column "${name}". Its columns are ${known}.`
    }
  }
}

function* ofKey(definition: Definition): Problems {
  const { columns, write } = definition
  const key = WriteStrategy.primaryKey(write)
  yield* ofColumns(definition, key)
  for (const { isNullable, kind, name } of columns) {
    if (!key.includes(name)) continue
    if (isNullable) yield `key column "${name}" is nullable; a key column always has a value.`
    if (kind._tag === "Json")
      yield `key column "${name}" is JSON, of which equal values have several texts; make a text of it first.`
  }
  if (write._tag === "Scd2" && kindOf(definition, write.validFrom) !== "Timestamp") {
    yield `validFrom "${write.validFrom}" is where a version begins, so it is a timestamp.`
  }
}

function* ofCheck(definition: Definition, check: AssetCheck): Problems {
  yield* ofColumns(definition, columnsOf(check))
  const { rule } = check
  if (rule._tag !== "Relationship") return
  const other = definition.inputs.find(({ as }) => as === rule.input)
  if (other === undefined || !other.columns.includes(rule.to)) {
    yield `check "${check.name}" looks into ${rule.input}.${rule.to}, which no input shows.`
  }
}

function* ofPartitions(definition: Definition): Problems {
  const { cut, partitions, write } = definition
  if (cut !== undefined) {
    yield* ofCut(definition, cut)
    yield* ofColumns(definition, cut.columns)
    for (const [place, name] of cut.columns.entries()) {
      const dimension = Partitions.isMulti(cut.partitions) ? cut.partitions.dimensions[place] : undefined
      yield* ofPartitionColumn(dimension?.partitions ?? cut.partitions, name, kindOf(definition, name))
    }
  }
  if (write._tag === "ReplacePartitions") {
    for (const name of cut?.columns ?? []) {
      if (!write.key.includes(name)) {
        yield `its key lacks the partition column "${name}"; without it a row that moves to another partition meets itself.`
      }
    }
  } else if (partitions._tag !== "Unpartitioned" && write._tag !== "View") {
    yield "it has partitions, so its write strategy is replacePartitions (or view)."
  }
}

/** What is a sum over a column of the inputs can be told from the rows of some of its values, whose units are known. */
function* ofSums(definition: Definition): Problems {
  const { columns, inputs, write } = definition
  if (write._tag !== "ReplacePartitions" || write.additiveOver === undefined) return
  const by = write.additiveOver
  for (const { as, asset: upstream, columns: shown, mapping } of inputs) {
    const column = upstream.columns.find(({ name }) => name === by)
    if (!shown.includes(by)) yield `it is additive over "${by}", which input "${as}" does not show.`
    else if (column?.isNullable === true)
      yield `it is additive over "${by}", which may be null in "${upstream.name}"; a row without it would belong to nobody.`
    if (mapping._tag !== "ByColumns" && mapping._tag !== "AsOf" && mapping._tag !== "Onwards")
      yield `it is additive over "${by}", but input "${as}" is mapped by ${format(mapping)}; map it by column, onwards, or as of a time.`
  }
  const types = new Set(inputs.map((input) => typeOf(input.asset, by) ?? "nothing"))
  if (types.size > 1)
    yield `it is additive over "${by}", which is ${Array.from(types).join(" in one input and ")} in another.`
  if (inputs.length === 0) yield `it is additive over "${by}", but has no input.`
  for (const { isNullable, kind, name } of columns) {
    if (write.key.includes(name)) continue
    if (isNullable || (kind._tag !== "Integer" && kind._tag !== "Decimal"))
      yield `it is additive over "${by}", so "${name}" is a sum: a whole number or a decimal that is never null.`
  }
}

/**
 * A unique index of a table in month tables has the column that tells them apart. So in the database two rows of one key
 * could lie in two months; only an upsert, which chooses one row for each key, does not need it to refuse them.
 */
function* ofStorage(definition: Definition): Problems {
  const { columns, storage, write } = definition
  if (storage._tag === "Single") return
  const by = storage.column
  yield* ofColumns(definition, [by])
  if (!isTime(kindOf(definition, by))) yield `it lies by month of "${by}", which is neither a date nor a timestamp.`
  if (columns.some(({ isNullable, name }) => isNullable && name === by))
    yield `it lies by month of "${by}", which may be null; a row without it would lie nowhere.`
  switch (write._tag) {
    case "Upsert":
      return
    case "Append":
    case "ReplacePartitions":
    case "Replace":
      if (!write.key.includes(by))
        yield `its key lacks "${by}", by whose month it lies; without it two rows of one key could lie in two months.`
      return
    case "View":
      yield `it lies by month of "${by}", but a view has no table; say so where its rows come from.`
      return
    case "Scd2":
      yield `it lies by month of "${by}", but the versions of a key are kept apart by a constraint over all of them, which month tables cannot have; leave the storage out.`
  }
}

/** One column, or one for each dimension and none besides. */
function* ofCut({ write }: Definition, { columns, partitions }: NonNullable<Definition["cut"]>): Problems {
  const by =
    write._tag === "ReplacePartitions"
      ? write.column
      : write._tag === "Upsert"
        ? write.partitionedBy?.column
        : undefined
  if (!Partitions.isMulti(partitions)) {
    if (typeof by === "object")
      yield `it names columns of dimensions (${Object.keys(by).join(", ")}), which its partitions have not.`
    return
  }
  const names = partitions.dimensions.map(({ name }) => name)
  if (typeof by !== "object") {
    yield `its partitions have dimensions, so it names a column for each: ${names.join(", ")}.`
    return
  }
  const missing = names.find((name) => by[name] === undefined)
  const surplus = Object.keys(by).find((name) => !names.includes(name))
  if (missing !== undefined) yield `it names no column for the dimension "${missing}".`
  if (surplus !== undefined) yield `its partitions have no dimension "${surplus}"; they have ${names.join(", ")}.`
  const twice = columns.find((name, place) => columns.indexOf(name) !== place)
  if (twice !== undefined) yield `column "${twice}" stands for two dimensions; each has a column of its own.`
}

/** Of several dimensions each is looked at by itself. */
function* ofPartitionColumn(partitions: Partitions.Partitions, name: string, kind: Kind["_tag"] | undefined): Problems {
  if (Partitions.isUnpartitioned(partitions)) yield "replacePartitions needs partitions; for a whole table use replace."
  if (Partitions.isStatic(partitions) && kind !== "Text")
    yield `partition column "${name}" holds a static key, so it is text.`
  if (Partitions.isTimeWindows(partitions) && !isTime(kind))
    yield `partition column "${name}" holds a time, so it is a date or a timestamp.`
}

function* ofInput(definition: Definition, input: Input): Problems {
  yield* ofColumns(input.asset, input.columns)
  for (const name of Object.keys(input.where ?? {})) {
    yield* ofColumns(input.asset, [name])
    const kind = kindOf(input.asset, name)
    if (kind === "Decimal" || kind === "Timestamp" || kind === "Json") {
      yield `input "${input.as}" is filtered by "${name}", a ${kind.toLowerCase()}; a filter compares texts, dates, integers or booleans.`
    }
  }
  yield* ofMapping(definition, input)
}

function* ofMapping(definition: Definition, input: Input): Problems {
  const { as, asset: upstream, mapping } = input
  const { partitions, unit } = definition
  const isCutByTime = partitions._tag === "TimeWindows"
  switch (mapping._tag) {
    case "All":
      return
    case "ByColumns":
      yield* ofColumns(upstream, mapping.columns)
      for (const name of mapping.columns) {
        if (kindOf(upstream, name) === "Json")
          yield `input "${as}" is mapped by "${name}", which is JSON; make a text of it first.`
      }
      if (upstream.write._tag === "View") {
        yield `input "${as}" is a view, which keeps no old rows to map by column; use all, identity or timeWindows.`
      }
      if (unit.length > 0 && unit.length !== mapping.columns.length) {
        yield `input "${as}" maps ${mapping.columns.length} columns to a unit of ${unit.length} (${unit.join(", ")}).`
      }
      for (const [place, name] of mapping.columns.entries()) {
        const dimension = Partitions.isMulti(partitions) ? partitions.dimensions[place]?.partitions : partitions
        if (dimension?._tag === "TimeWindows") yield* ofTime(input, name)
      }
      return
    case "Identity":
      return yield* ofIdentity(definition, input)
    case "TimeWindows":
      if (Partitions.isMulti(partitions) || Partitions.isMulti(upstream.partitions)) {
        yield `input "${as}" is mapped by time windows, but a side has several dimensions; say of which by byDimension or singleDimension.`
      } else if (!isCutByTime || upstream.partitions._tag !== "TimeWindows") {
        yield `input "${as}" is mapped by time windows, but one side has none.`
      }
      return
    case "ByDimension":
      return yield* ofByDimension(definition, input, mapping)
    case "SingleDimension":
      return yield* ofSingleDimension(definition, input, mapping)
    case "Onwards":
      yield* ofTime(input, mapping.column)
      if (!isCutByTime || upstream.write._tag === "View") {
        yield `input "${as}" is mapped onwards, which needs time partitions here and a table there.`
      }
      return
    case "AsOf": {
      const facts = definition.inputs.find((other) => other.as === mapping.facts)
      if (upstream.write._tag !== "Scd2" || facts?.mapping._tag !== "ByColumns") {
        yield `input "${as}" is mapped as of a time: it must be an scd2 asset, and its facts "${mapping.facts}" be mapped by column.`
      } else yield* ofLookUp(input, mapping, { facts, of: upstream.write.key })
      return
    }
    case "Last":
    case "Keys":
    case "StaticMap":
    case "Custom":
      if (upstream.write._tag !== "ReplacePartitions") {
        yield `input "${as}" reads partitions of "${upstream.name}" (${format(mapping)}), which is not written by partitions.`
      } else if (definition.write._tag === "View") {
        yield `input "${as}" of a view reads some partitions of "${upstream.name}" (${format(mapping)}); map it by all and say in the query which.`
      } else yield* ofKeys(definition, input, mapping)
  }
}

/**
 * What a mapping says of keys in code says nothing of keys in the ledger: a key that it names may be gone, and come again,
 * without a row that changes.
 */
function* ofDynamic(definition: Definition, input: Input, mapping: Last | Keys | StaticMap | Custom): Problems {
  const isBothWays = mapping._tag === "StaticMap" || mapping._tag === "Custom"
  for (const { name, partitions } of isBothWays ? [input.asset, definition] : [input.asset]) {
    const [dynamic] = Partitions.dynamicNames(partitions)
    if (dynamic !== undefined) {
      yield `input "${input.as}" reads partitions of "${input.asset.name}" (${format(mapping)}), but the keys of "${name}" (dynamic ${dynamic}) are in the ledger, not in code; map it by identity, by column or by all.`
    }
  }
}

/** Keys that are written into a mapping are keys of the assets. */
function* ofKeys(definition: Definition, input: Input, mapping: Last | Keys | StaticMap | Custom): Problems {
  const { as, asset: upstream, tolerance } = input
  if (Partitions.isMulti(upstream.partitions) && tolerance._tag === "Newest") {
    yield `input "${as}" may lack the newest windows of partitions with several dimensions, of which no window is the newest; map it by dimension.`
  }
  yield* ofDynamic(definition, input, mapping)
  switch (mapping._tag) {
    case "Last":
      if (Partitions.isMulti(upstream.partitions)) {
        yield `input "${as}" reads the last partition of "${upstream.name}", which has several dimensions and so no last one; name partitions by keys.`
      }
      return
    case "Keys":
    case "StaticMap":
      return yield* ofKeysBetween(definition, input, mapping)
    case "Custom":
      if (definition.write._tag !== "ReplacePartitions") {
        yield `input "${as}" relates partitions, but "${definition.name}" is not written by partitions.`
        return
      }
      return yield* ofKeysBetween(definition, input, mapping)
  }
}

/** Keys that are written into a mapping are keys of both sides. */
function* ofKeysBetween(definition: Definition, input: Input, mapping: Keys | StaticMap | Custom): Problems {
  const { as, asset: upstream } = input
  switch (mapping._tag) {
    case "Keys":
      for (const key of mapping.keys) yield* ofPartitionKey(input, upstream, key)
      return
    case "StaticMap": {
      if (upstream.partitions._tag !== "Static" || definition.partitions._tag !== "Static") {
        yield `input "${as}" is mapped name by name, but one side is not cut by names; both are Partitions.fromKeys.`
        return
      }
      const entries = Object.entries(mapping.reaches)
      if (entries.length === 0) yield `input "${as}" is mapped name by name, but no name is.`
      for (const [key, reached] of entries) {
        yield* ofPartitionKey(input, upstream, key)
        for (const name of reached) yield* ofPartitionKey(input, definition, name)
      }
      return
    }
    case "Custom": {
      if (mapping.name.trim() === "" || mapping.version.trim() === "") {
        yield `input "${as}" is mapped by a relation without a name or a version; when the version changes, everything is built again.`
      }
      const problem = PartitionReach.contradiction(mapping, {
        upstream: upstream.partitions,
        downstream: definition.partitions
      })
      if (problem !== undefined) yield `input "${as}": ${problem}`
    }
  }
}

function* ofPartitionKey(
  { as }: Input,
  { name, partitions }: Pick<Upstream, "name" | "partitions">,
  key: string
): Problems {
  if (!Partitions.isKey(partitions, key)) {
    yield `input "${as}" is mapped by "${key}", which is no partition of "${name}" (${Partitions.format(partitions)}).`
  }
}

/** A look-up by part of a key would find several versions, and one by another kind of value none. */
function* ofLookUp(
  { as, asset: upstream }: Input,
  { at, key }: AsOf,
  { facts, of }: { readonly facts: Input; readonly of: ReadonlyArray<string> }
): Problems {
  yield* ofColumns(facts.asset, [key])
  yield* ofColumns(facts.asset, [at])
  if (!isTime(kindOf(facts.asset, at))) {
    yield `input "${as}" is looked up as of "${at}", which is neither a date nor a timestamp.`
  }
  const [name, ...others] = of
  if (name === undefined || others.length > 0) {
    yield `input "${as}" looks a fact up by one key, but the key of "${upstream.name}" is ${of.join(", ")}.`
    return
  }
  const [own, other] = [typeOf(facts.asset, key), typeOf(upstream, name)]
  if (own !== other) yield `input "${as}": key "${key}" is ${own}, but "${name}" of "${upstream.name}" is ${other}.`
}

const namesOf = ({ dimensions }: Partitions.Multi): ReadonlyArray<string> => dimensions.map(({ name }) => name)

const dimensionOf = ({ dimensions }: Partitions.Multi, name: string): Partitions.Dimension | undefined =>
  dimensions.find((one) => one.name === name)

/** Every link names a dimension of each side, and each of them once. */
function* ofByDimension(definition: Definition, input: Input, { links }: ByDimension): Problems {
  const { as, asset: upstream } = input
  const from = upstream.partitions
  const to = definition.partitions
  if (!Partitions.isMulti(from) || !Partitions.isMulti(to)) {
    yield `input "${as}" is mapped by dimension, but one side has not several; map it by singleDimension.`
    return
  }
  for (const [place, link] of links.entries()) {
    const down = dimensionOf(to, link.downstream)
    const up = dimensionOf(from, link.upstream)
    if (down === undefined)
      yield `input "${as}" is mapped by dimension "${link.downstream}", but "${definition.name}" has only ${namesOf(to).join(", ")}.`
    else if (up === undefined)
      yield `input "${as}" is mapped from dimension "${link.upstream}", but "${upstream.name}" has only ${namesOf(from).join(", ")}.`
    else if (links.some((other, index) => index < place && other.upstream === link.upstream))
      yield `input "${as}" maps dimension "${link.upstream}" of "${upstream.name}" twice; each is mapped to one.`
    else yield* ofLink(definition, input, { mapping: link.mapping, up: up.partitions, down: down.partitions })
  }
}

function* ofSingleDimension(definition: Definition, input: Input, mapping: SingleDimension): Problems {
  const { as, asset: upstream } = input
  const from = upstream.partitions
  const to = definition.partitions
  const several = Partitions.isMulti(from) ? from : Partitions.isMulti(to) ? to : undefined
  const single = Partitions.isMulti(from) ? to : from
  if (several === undefined || Partitions.isMulti(single) || Partitions.isUnpartitioned(single)) {
    yield `input "${as}" is mapped by a single dimension, so one side has several and the other is cut in one way.`
    return
  }
  const found = dimensionOf(several, mapping.dimension)
  if (found === undefined) {
    yield `input "${as}" is mapped by dimension "${mapping.dimension}", but there are only ${namesOf(several).join(", ")}.`
    return
  }
  const [up, down] = Partitions.isMulti(from) ? [found.partitions, single] : [single, found.partitions]
  yield* ofLink(definition, input, { mapping: mapping.mapping, up, down })
}

/** A dimension that is mapped to another is mapped as two assets that are cut like this would be. */
function* ofLink(
  definition: Definition,
  input: Input,
  link: {
    readonly mapping: DimensionMapping
    readonly up: Partitions.Partitions
    readonly down: Partitions.Partitions
  }
): Problems {
  const { as } = input
  const { down, mapping, up } = link
  switch (mapping._tag) {
    case "All":
      return
    case "Identity":
      if (up._tag !== down._tag) yield `input "${as}" maps a dimension of windows and one of names by identity.`
      return
    case "TimeWindows":
      if (up._tag !== "TimeWindows" || down._tag !== "TimeWindows")
        yield `input "${as}" is mapped by time windows, but one side has none.`
      return
    case "Keys":
    case "StaticMap":
    case "Custom":
      return yield* ofKeysOfLink(
        { ...definition, partitions: down },
        { ...input, asset: { ...input.asset, partitions: up } },
        mapping
      )
    default:
      yield `input "${as}" maps a dimension by ${format(mapping)}, which reads rows; dimensions are mapped by their keys.`
  }
}

function* ofKeysOfLink(definition: Definition, input: Input, mapping: Keys | StaticMap | Custom): Problems {
  yield* ofDynamic(definition, input, mapping)
  yield* ofKeysBetween(definition, input, mapping)
}

/** Units of the same key must be the same units. */
function* ofIdentity({ partitions, write }: Definition, { as, asset: upstream }: Input): Problems {
  const from = upstream.partitions
  if (Partitions.isMulti(from) || Partitions.isMulti(partitions)) {
    const names = [from, partitions].map((one) => (Partitions.isMulti(one) ? namesOf(one).join(", ") : "none"))
    if (names[0] !== names[1]) {
      yield `input "${as}" is mapped by identity, but the dimensions of "${upstream.name}" are ${names[0]}, and here ${names[1]}; map it by byDimension or singleDimension.`
    } else if (Partitions.isMulti(from) && Partitions.isMulti(partitions)) {
      const other = from.dimensions.find(
        (one, place) => one.partitions._tag !== partitions.dimensions[place]?.partitions._tag
      )
      if (other !== undefined)
        yield `input "${as}" is mapped by identity, but dimension "${other.name}" has windows on one side and names on the other.`
    }
  }
  // One unit upstream says nothing of which of many here is stale.
  const isWholeOfParts = upstream.write._tag === "Replace" && write._tag === "ReplacePartitions"
  if (
    (WriteStrategy.grain(upstream.write) !== WriteStrategy.grain(write) || isWholeOfParts) &&
    upstream.write._tag !== "View" &&
    write._tag !== "View"
  ) {
    yield `input "${as}" is mapped by identity, but its units are not of the same grain.`
  }
}

/** A time partition is found by a column that holds a time. */
function* ofTime({ as, asset }: Input, name: string): Problems {
  yield* ofColumns(asset, [name])
  if (!isTime(kindOf(asset, name))) {
    yield `input "${as}" is mapped to time partitions by "${name}", which is neither a date nor a timestamp.`
  }
}
