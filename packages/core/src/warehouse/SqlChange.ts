/**
 * What a change set makes stale downstream, in SQL: the edge's mapping read forwards. An edge sees only the columns and
 * rows its input names, so the change that counts is the difference, as multisets, between the old and the new images
 * seen through the input; what differs elsewhere makes nothing stale (L6).
 */
import type { Asset, NamedInput } from "../Asset.ts"
import { columnUnsafe, unitColumns } from "../Asset.ts"
import type { Edge } from "../AssetGraph.ts"
import { postgresType } from "../Column.ts"
import type { AsOf, Bounds, ByColumns, Keys, Onwards } from "../PartitionMapping.ts"
import { toSql } from "../RowFilter.ts"
import { identifier, list, literal, or, sql, type Sql } from "../Sql.ts"
import type { Scd2 } from "../WriteStrategy.ts"
import { attributes } from "./Change.ts"
import * as InputWindow from "./InputWindow.ts"
import * as SqlTable from "./SqlTable.ts"
import * as SqlUnit from "./SqlUnit.ts"

/**
 * The units named by the columns of changed rows, in their old and their new image.
 *
 * @category mapping
 * @since 0.1.0
 */
export const byColumns = ({ downstream, input, upstream }: Edge, mapping: ByColumns): Sql => {
  const unit = SqlUnit.of(
    downstream,
    mapping.columns.map((name) => columnUnsafe(upstream, name)),
    identifier("d")
  )
  return unitsWithin(
    downstream,
    sql`SELECT DISTINCT ${unit} AS unit FROM ${difference(upstream, input, mapping.columns)} AS d`
  )
}

/**
 * The partitions of the upstream asset that hold changed rows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const partitions = ({ input, upstream }: Edge): Sql => {
  const names = unitColumns(upstream)
  const unit = SqlUnit.of(
    upstream,
    names.map((name) => columnUnsafe(upstream, name)),
    identifier("d")
  )
  return sql`SELECT DISTINCT ${unit} AS unit FROM ${difference(upstream, input, names)} AS d`
}

/**
 * The changed rows in the partitions that every unit reads.
 *
 * @category mapping
 * @since 0.1.0
 */
export const keys = ({ downstream, input, upstream }: Edge, mapping: Keys): Sql => {
  const names = unitColumns(upstream)
  const set = InputWindow.ofKeys(mapping, { upstream, downstream, units: [] })
  return sql`SELECT FROM ${difference(upstream, input, names)} AS d
    WHERE ${SqlUnit.inSome(
      set,
      SqlUnit.cells(
        names.map((name) => columnUnsafe(upstream, name)),
        identifier("d")
      )
    )}`
}

/**
 * The changed rows in the partition that is or was the last one with a row.
 *
 * **Details**
 *
 * A partition behind the one that is the last now has lost all its rows, so it was the last before. One before it is not
 * read, and was not: the last partition only moves back when it loses its rows.
 *
 * @category mapping
 * @since 0.1.0
 */
export const last = ({ input, upstream }: Edge, table: (asset: Asset) => Sql): Sql => {
  const { partitions } = upstream
  const [name = ""] = unitColumns(upstream)
  const column = columnUnsafe(upstream, name)
  const placed = (alias: string) => SqlUnit.place(partitions, column, identifier(alias, name))
  const sameWindow =
    partitions._tag === "TimeWindows"
      ? [
          sql`${SqlUnit.ofPartition(partitions, column, identifier("d", name))}
            = ${SqlUnit.ofPartition(partitions, column, identifier("now", "place"))}`
        ]
      : []
  return sql`SELECT FROM ${difference(upstream, input, [name])} AS d CROSS JOIN
    (SELECT max(${placed("l")}) AS place FROM ${table(upstream)} AS l WHERE ${toSql(input.where)}) AS now
    WHERE ${or([sql`now.place IS NULL`, sql`${placed("d")} >= now.place`, ...sameWindow])}`
}

/**
 * The least value of a changed row in the column of a mapping onwards, as one row; null where nothing changed.
 *
 * **Details**
 *
 * Where the column is the start of a slowly changing dimension's windows and their bounds are only compared, the change
 * begins at the first instant at which the old and the new versions say something else, which may lie inside a window:
 * when a version is closed, the time before its new end is as it was.
 *
 * @category mapping
 * @since 0.1.0
 */
export const onwards = ({ input, upstream }: Edge, mapping: Onwards): Sql => {
  const column = columnUnsafe(upstream, mapping.column)
  const { write } = upstream
  const changes =
    write._tag === "Scd2" && write.validFrom === mapping.column && mapping.bounds === "compared"
      ? boundaries(upstream, input, write)
      : difference(upstream, input, [mapping.column])
  return sql`SELECT ${SqlUnit.text(column.kind, sql`min(${identifier("d", column.name)})`)} AS first FROM ${changes} AS d`
}

/**
 * The units of the facts for which the changed versions of a slowly changing dimension say something else than before.
 *
 * @category mapping
 * @since 0.1.0
 */
export const asOf = (
  { downstream, input, upstream }: Edge,
  mapping: AsOf,
  options: { readonly facts: NamedInput; readonly table: (asset: Asset) => Sql; readonly write: Scd2 }
): Sql => {
  const { facts, write } = options
  const [key] = write.key
  const columns =
    facts.mapping._tag === "ByColumns" ? facts.mapping.columns.map((name) => columnUnsafe(facts.asset, name)) : []
  const fact = identifier("f")
  const at = identifier("f", mapping.at)
  const holds = (alias: string) =>
    sql`${identifier(alias, key ?? mapping.key)} = ${identifier("f", mapping.key)} AND ${window(alias, write, at)}`
  return unitsWithin(
    downstream,
    sql`SELECT DISTINCT ${SqlUnit.of(downstream, columns, fact)} AS unit
      FROM (SELECT * FROM ${options.table(facts.asset)} WHERE ${toSql(facts.where)}) AS f
      LEFT JOIN ${images(upstream, input, false)} AS o ON ${holds("o")}
      LEFT JOIN ${images(upstream, input, true)} AS n ON ${holds("n")}
      WHERE ${identifier("f", mapping.key)} IN (SELECT ${identifier(key ?? mapping.key)} FROM ${SqlTable.change(upstream)})
        AND ${saysOtherwise(input, write, mapping.bounds)}`
  )
}

/**
 * The difference between old and new images, seen through an input and in the columns its mapping reads: rows that
 * look the same before and after cancel out.
 *
 * @category mapping
 * @since 0.1.0
 */
export const difference = (upstream: Asset, input: NamedInput, mapped: ReadonlyArray<string>): Sql => {
  const { seen } = imagesIn(upstream, input, Array.from(new Set([...input.columns, ...mapped])))
  // What is appended to a log has no old image that it could cancel out.
  if (upstream.write._tag === "Append") return sql`(${seen(true)})`
  return sql`((${seen(true)} EXCEPT ALL ${seen(false)}) UNION ALL (${seen(false)} EXCEPT ALL ${seen(true)}))`
}

/**
 * The same in the given columns, in their types, with `_assay_is_new`: true for what came, false for what left.
 *
 * @category mapping
 * @since 0.1.0
 */
export const signed = (upstream: Asset, input: NamedInput, names: ReadonlyArray<string>): Sql => {
  const { seen } = imagesIn(upstream, input, names)
  const typed = list(
    names.map(
      (name) =>
        sql`s.${identifier(name)}::${literal(postgresType(columnUnsafe(upstream, name).kind))} AS ${identifier(name)}`
    )
  )
  const came = upstream.write._tag === "Append" ? seen(true) : sql`${seen(true)} EXCEPT ALL ${seen(false)}`
  const left =
    upstream.write._tag === "Append" ? sql`${seen(false)} AND FALSE` : sql`${seen(false)} EXCEPT ALL ${seen(true)}`
  return sql`(SELECT ${typed}, TRUE AS _assay_is_new FROM (${came}) AS s
    UNION ALL SELECT ${typed}, FALSE FROM (${left}) AS s)`
}

// --- internal ---

/** The old or the new images of the change set as an input shows them, in some columns. */
const imagesIn = (upstream: Asset, input: NamedInput, names: ReadonlyArray<string>) => {
  const shown = list(
    names.map(
      (name) => sql`${SqlUnit.exact(columnUnsafe(upstream, name).kind, identifier(name))} AS ${identifier(name)}`
    )
  )
  const seen = (isNew: boolean) =>
    sql`SELECT ${shown} FROM ${SqlTable.change(upstream)}
      WHERE ${literal(isNew ? "_assay_is_new" : "NOT _assay_is_new")} AND ${toSql(input.where)}`
  return { seen }
}

const unitsWithin = (downstream: Asset, units: Sql): Sql =>
  sql`SELECT unit FROM (${units}) AS reached WHERE unit IS NOT NULL AND ${
    unitColumns(downstream).length === 0 ? literal("TRUE") : SqlUnit.isWithin(downstream.partitions, sql`unit`)
  }`

const images = (upstream: Asset, input: NamedInput, isNew: boolean): Sql =>
  sql`(SELECT *, TRUE AS _assay_exists FROM ${SqlTable.change(upstream)}
    WHERE ${literal(isNew ? "_assay_is_new" : "NOT _assay_is_new")} AND ${toSql(input.where)})`

const window = (alias: string, write: Scd2, at: Sql): Sql =>
  sql`${identifier(alias, write.validFrom)} <= ${at}
    AND (${identifier(alias, write.validTo)} IS NULL OR ${at} < ${identifier(alias, write.validTo)})`

/** Whether the version before (`o`) and after (`n`) differ in anything that the compute may show of them. */
const saysOtherwise = (input: NamedInput, write: Scd2, bounds: Bounds): Sql => {
  const row = (alias: string) =>
    list([
      identifier(alias, "_assay_exists"),
      ...attributes(input, write, bounds).map((name) =>
        SqlUnit.exact(columnUnsafe(input.asset, name).kind, identifier(alias, name))
      )
    ])
  return sql`ROW(${row("o")}) IS DISTINCT FROM ROW(${row("n")})`
}

/** The instants at which windows begin or end and the versions before and after differ from there on. */
const boundaries = (upstream: Asset, input: NamedInput, write: Scd2): Sql => {
  const keys = list(write.key.map((name) => identifier(name)))
  const from = identifier(write.validFrom)
  const to = identifier(write.validTo)
  const change = SqlTable.change(upstream)
  const at = identifier("b", write.validFrom)
  const holds = (alias: string) =>
    sql`(${list(write.key.map((name) => identifier(alias, name)))}) = (${list(write.key.map((name) => identifier("b", name)))})
      AND ${window(alias, write, at)}`
  return sql`(SELECT b.${from} FROM (
      SELECT ${keys}, ${from} FROM ${change} UNION SELECT ${keys}, ${to} FROM ${change} WHERE ${to} IS NOT NULL
    ) AS b
    LEFT JOIN ${images(upstream, input, false)} AS o ON ${holds("o")}
    LEFT JOIN ${images(upstream, input, true)} AS n ON ${holds("n")}
    WHERE ${saysOtherwise(input, write, "compared")})`
}
