/**
 * What can be wrong with the definition of an asset that its types do not tell? Every problem is a sentence; none is
 * repaired, because only the author can. It knows definitions by their shape only, so that `Asset` can call it.
 */
import { type AssetCheck, columnsOf } from "../AssetCheck.ts"
import { type Column, type Kind, postgresType } from "../Column.ts"
import {
  type AsOf,
  type Custom,
  format,
  type Keys,
  type Last,
  type PartitionMapping,
  type StaticMap
} from "../PartitionMapping.ts"
import * as PartitionReach from "../PartitionReach.ts"
import * as Partitions from "../Partitions.ts"
import type { RowFilter } from "../RowFilter.ts"
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
}

interface Definition extends Upstream {
  readonly inputs: ReadonlyArray<Input>
  readonly checks: ReadonlyArray<AssetCheck>
  /** The columns of its unit. */
  readonly unit: ReadonlyArray<string>
  /** The column that tells in which partition a row lies, where there is one. */
  readonly cut: { readonly column: string; readonly partitions: Partitions.Partitions } | undefined
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
    yield* ofColumns(definition, [cut.column])
    yield* ofPartitionColumn(cut.partitions, cut.column, kindOf(definition, cut.column))
  }
  if (write._tag === "ReplacePartitions") {
    if (!write.key.includes(write.column)) {
      yield `its key lacks the partition column "${write.column}"; without it a row that moves to another partition meets itself.`
    }
  } else if (partitions._tag !== "Unpartitioned" && write._tag !== "View") {
    yield "it has partitions, so its write strategy is replacePartitions (or view)."
  }
}

function* ofPartitionColumn(partitions: Partitions.Partitions, name: string, kind: Kind["_tag"] | undefined): Problems {
  switch (partitions._tag) {
    case "Unpartitioned":
      yield "replacePartitions needs partitions; for a whole table use replace."
      return
    case "Static":
      if (kind !== "Text") yield `partition column "${name}" holds a static key, so it is text.`
      return
    case "TimeWindows":
      if (!isTime(kind)) yield `partition column "${name}" holds a time, so it is a date or a timestamp.`
  }
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
      if (isCutByTime) for (const name of mapping.columns) yield* ofTime(input, name)
      return
    case "Identity":
      return yield* ofIdentity(definition, input)
    case "TimeWindows":
      if (!isCutByTime || upstream.partitions._tag !== "TimeWindows") {
        yield `input "${as}" is mapped by time windows, but one side has none.`
      }
      return
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

/** Keys that are written into a mapping are keys of the assets. */
function* ofKeys(definition: Definition, input: Input, mapping: Last | Keys | StaticMap | Custom): Problems {
  const { as, asset: upstream } = input
  switch (mapping._tag) {
    case "Last":
      return
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
      if (definition.write._tag !== "ReplacePartitions") {
        yield `input "${as}" relates partitions, but "${definition.name}" is not written by partitions.`
        return
      }
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

/** Units of the same key must be the same units. */
function* ofIdentity({ write }: Definition, { as, asset: upstream }: Input): Problems {
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
