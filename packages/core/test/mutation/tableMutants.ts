/**
 * What can go wrong between two tables: which rows a step reads, what it makes of them, how it writes them, and what it
 * finds to be changed.
 */
import type { Mutant } from "./Mutant.ts"
import * as Net from "./Net.ts"

const sqlChange = "packages/core/src/warehouse/SqlChange.ts"
const change = "packages/core/src/warehouse/Change.ts"
const sqlWarehouse = "packages/core/src/warehouse/SqlWarehouse.ts"
const sqlDifference = "packages/core/src/warehouse/SqlDifference.ts"
const sqlDelta = "packages/core/src/warehouse/SqlDelta.ts"
const memoryTable = "packages/core/src/warehouse/MemoryTable.ts"
const sqlRelation = "packages/core/src/warehouse/SqlRelation.ts"
const sqlUnit = "packages/core/src/warehouse/SqlUnit.ts"
const sqlWindow = "packages/core/src/warehouse/SqlWindow.ts"
const keyOrder = "packages/core/src/warehouse/KeyOrder.ts"
const sqlScd2 = "packages/core/src/warehouse/SqlScd2.ts"
const upsert = "packages/core/src/warehouse/Upsert.ts"

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "only the new day",
    laws: ["L1", "L2"],
    because: "a moved row marks the unit that it is in now, and the one that it left stays fresh",
    edits: [{ file: sqlChange, find: " UNION ALL (${seen(false)} EXCEPT ALL ${seen(true)})", replace: "" }],
    net: Net.postgres(/moves an order from one day, store and customer to others/)
  },
  {
    name: "only the new day (memory)",
    laws: ["L1", "L2"],
    because: "a moved row marks the unit that it is in now, and the one that it left stays fresh",
    edits: [{ file: change, find: "count === 0 ? [] : [row]", replace: "count <= 0 ? [] : [row]" }],
    net: Net.memory(/moves an order from one day, store and customer to others/)
  },
  {
    name: "deletions unnoticed",
    laws: ["L1", "L2"],
    because: "rows that leave without a successor are no part of the change set",
    edits: [
      {
        file: sqlDifference,
        find: "FALSE FROM gone`)",
        replace:
          'FALSE FROM gone WHERE (${list(primaryKey(asset.write).map((name) => identifier("gone", name)))}) IN (SELECT ${list(primaryKey(asset.write).map((name) => identifier(name)))} FROM ${SqlTable.result(asset)})`)'
      }
    ],
    net: Net.postgres(/forgets a deleted order everywhere/)
  },
  {
    name: "vanished rows stay",
    laws: ["L1", "L2"],
    because: "a partition is written over, and the rows that are no longer in it are not deleted",
    edits: [
      {
        file: sqlDifference,
        find: "AND NOT EXISTS (SELECT FROM ${result} AS r WHERE ${sameKey} AND ${sameRow})",
        replace: "AND EXISTS (SELECT FROM ${result} AS r WHERE ${sameKey} AND NOT ${sameRow})"
      }
    ],
    net: Net.postgres(/moves an order from one day, store and customer to others/)
  },
  {
    name: "vanished rows stay (memory)",
    laws: ["L1", "L2"],
    because: "a partition is written over, and the rows that are no longer in it are not deleted",
    edits: [
      {
        file: memoryTable,
        find: "if (next !== undefined) updated += 1",
        replace: "if (next === undefined) continue\n      updated += 1"
      }
    ],
    net: Net.memory(/moves an order from one day, store and customer to others/)
  },
  {
    name: "everything is a change",
    laws: ["L6"],
    because: "rows that come out as they were leave and enter all the same, and everything downstream becomes stale",
    edits: [
      {
        file: sqlDifference,
        find: "AND NOT EXISTS (SELECT FROM ${result} AS r WHERE ${sameKey} AND ${sameRow})",
        replace: ""
      },
      {
        file: sqlChange,
        find: "return sql`((${seen(true)} EXCEPT ALL ${seen(false)}) UNION ALL (${seen(false)} EXCEPT ALL ${seen(true)}))`",
        replace: "return sql`(${seen(true)} UNION ALL ${seen(false)})`"
      }
    ],
    net: Net.postgres(/unchanged content makes nothing downstream stale/)
  },
  {
    name: "no as-of propagation",
    laws: ["L1", "L2"],
    because: "a version of the dimension that changes marks no day of the facts that look it up",
    edits: [
      {
        file: sqlWarehouse,
        find: "return yield* reached(pg, slot, SqlChange.asOf(edge, mapping, { facts, table, write }))",
        replace: "return none"
      }
    ],
    net: Net.postgres(/a tier heard of late changes the days on which the customer ordered under it/)
  },
  {
    name: "no as-of propagation (memory)",
    laws: ["L1", "L2"],
    because: "a version of the dimension that changes marks no day of the facts that look it up",
    edits: [{ file: change, find: "return reached(downstream, units)\n", replace: "return none\n" }],
    net: Net.memory(/a tier heard of late changes the days on which the customer ordered under it/)
  },
  {
    name: "as-of marks every fact",
    laws: ["L6"],
    because: "a changed version marks all days of its customer, not only those on which it says something else",
    edits: [{ file: sqlChange, find: "AND ${saysOtherwise(input, write, mapping.bounds)}`", replace: "`" }],
    net: Net.postgres(/a tier heard of late changes the days on which the customer ordered under it, and no others/)
  },
  {
    name: "an instant too late",
    laws: ["L1", "L2"],
    because: "a fact at the very instant at which a version begins is not looked up in it",
    edits: [
      {
        file: sqlChange,
        find: "${identifier(alias, write.validFrom)} <= ${at}",
        replace: "${identifier(alias, write.validFrom)} < ${at}"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "only the first month onwards",
    laws: ["L1", "L2"],
    because: "what reaches every later month marks only the one in which it begins",
    edits: [
      {
        file: keyOrder,
        find: "from(least(partitions, Partitions.windowEndingAfter(partitions, instant).start))",
        replace:
          '({ _tag: "Listed", units: [least(partitions, Partitions.windowEndingAfter(partitions, instant).start)] })'
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "forward only history",
    laws: ["L1", "L2", "L5"],
    because: "a version that is heard of late and begins before the current one is ignored, and so is its end",
    edits: [
      {
        file: sqlDifference,
        find: "yield* refuse(pg, asset, scope, SqlTable.result(asset))\n",
        replace: `yield* refuse(pg, asset, scope, SqlTable.result(asset))
  if (asset.write._tag === "Scd2") {
    const names = (of: string, columns: ReadonlyArray<string>) => list(columns.map((name) => identifier(of, name)))
    const start = asset.write.validFrom
    const [table, result] = [SqlTable.of(pg, asset), SqlTable.result(asset)]
    const current = sql\`(SELECT \${names("s", asset.write.key)}, max(\${identifier("s", start)}) AS start FROM \${table} AS s GROUP BY \${names("s", asset.write.key)})\`
    yield* pg.execute(sql\`DELETE FROM \${result} AS r USING \${current} AS c
      WHERE (\${names("r", asset.write.key)}) = (\${names("c", asset.write.key)}) AND \${identifier("r", start)} < c.start\`)
    yield* pg.execute(sql\`INSERT INTO \${result} (\${columnNames(asset)})
      SELECT \${SqlTable.columns(asset, "t")} FROM \${table} AS t JOIN \${current} AS c ON (\${names("t", asset.write.key)}) = (\${names("c", asset.write.key)})
      WHERE \${SqlUnit.inScope(asset, identifier("t"), scope)} AND \${identifier("t", start)} < c.start\`)
  }
`
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "neighbours alike",
    laws: ["L10"],
    because: "every observation opens a version, also one that says what the version before says",
    edits: [
      {
        file: sqlScd2,
        find: "row_number() OVER chronological = 1 OR ROW(${tracked}) IS DISTINCT FROM ROW(${before})",
        replace: "row_number() OVER chronological >= 1 OR ROW(${tracked}) IS DISTINCT FROM ROW(${before})"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "first of an instant",
    laws: ["L5", "L10"],
    because: "of two observations of one instant the one that comes first in its sequence holds",
    edits: [
      {
        file: sqlScd2,
        find: "ORDER BY ${key}, ${from}, _assay_position DESC",
        replace: "ORDER BY ${key}, ${from}, _assay_position"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "ties by arrival",
    laws: ["L5"],
    because: "of two contradicting latest versions the one that is found first wins, which is how they arrived",
    edits: [
      {
        file: sqlDifference,
        find: '_deleted DESC, _tie COLLATE "C" DESC NULLS LAST, ${list(content)}',
        replace: "row_number() OVER ()"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "ties by arrival (memory)",
    laws: ["L5"],
    because: "of two contradicting latest versions the one that is found first wins, which is how they arrived",
    edits: [
      {
        file: upsert,
        find: "compareBytes(tie(self), tie(that)) ||\n    byContent(self, that)",
        replace: "Number(void [compareBytes, tie, byContent]) * 0"
      }
    ],
    net: Net.memoryHistories
  },
  {
    name: "deletions lose",
    laws: ["L1"],
    because: "deleted candidates are passed over before the latest is chosen, so an older version comes back",
    edits: [
      {
        file: sqlDifference,
        find: "(${typed(asset, computed)}) AS candidate\n",
        replace: "(${typed(asset, computed)}) AS candidate WHERE NOT _deleted\n"
      }
    ],
    net: Net.postgres(/forgets a deleted order everywhere/)
  },
  {
    name: "deletions lose (memory)",
    laws: ["L1"],
    because: "deleted candidates are passed over before the latest is chosen, so an older version comes back",
    edits: [
      {
        file: upsert,
        find: "for (const candidate of candidates) {",
        replace: 'for (const candidate of candidates) {\n    if (candidate["_deleted"] === true) continue'
      }
    ],
    net: Net.memory(/forgets a deleted order everywhere/)
  },
  {
    name: "watermark on the source",
    laws: ["L4"],
    because: "a landing skips rows that were seen earlier than the newest row that has landed",
    edits: [
      {
        file: sqlWarehouse,
        find: "AS r WHERE ${isNew}`",
        replace:
          "AS r WHERE ${isNew} AND r.seen_at >= (SELECT coalesce(max(w.seen_at), '-infinity') FROM ${SqlTable.of(pg, asset)} AS w)`"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "watermark on the upstream table",
    laws: ["L1", "L2"],
    because: "a step reads only the rows that are newer than what it has stored",
    edits: [
      {
        file: sqlRelation,
        find: "WHERE ${and([toSql(input.where), restriction(asset, input, scope, { alias, table })])})`",
        replace: `WHERE \${and([toSql(input.where), restriction(asset, input, scope, { alias, table }), ...(asset.name === "silver_orders" && scope.units._tag !== "All" ? [sql\`u.seen_at >= (SELECT coalesce(max(w.seen_at), '-infinity') FROM \${table(asset)} AS w)\`] : [])])})\``
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "known rows land again",
    laws: ["L4"],
    because: "a file that was written anew lands the rows that it repeats a second time",
    edits: [{ file: sqlWarehouse, find: "knownBy === undefined\n", replace: "knownBy !== null\n" }],
    net: Net.postgres(/leaves out what a rewritten delivery repeats/)
  },
  {
    name: "the end of a window included",
    laws: ["L2"],
    because: "a row at the instant at which a partition ends is read by it as well",
    edits: [
      {
        file: sqlUnit,
        find: "sql`${value} < ${bound(partitions, column, end)}`",
        replace: "sql`${value} <= ${bound(partitions, column, end)}`"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "the start of a window excluded",
    laws: ["L2"],
    because: "a row at the instant at which a partition begins is read by none",
    edits: [
      {
        file: sqlUnit,
        find: "sql`${value} >= ${bound(partitions, column, start)}`",
        replace: "sql`${value} > ${bound(partitions, column, start)}`"
      }
    ],
    net: Net.postgresHistories
  },
  {
    name: "partitions of another zone",
    laws: ["L2", "L12"],
    because: "a changed row marks the partition of its time in UTC, whatever the asset's own zone",
    edits: [
      {
        file: sqlWindow,
        find: "(${value} AT TIME ZONE ${partitions.timeZone})",
        replace: "(${value} AT TIME ZONE 'UTC')"
      }
    ],
    net: Net.zone
  },
  {
    name: "hours without an offset",
    laws: ["L2", "L12"],
    because: "where clocks are set back or forward a row is named by the local time alone, so two hours are one",
    edits: [
      {
        file: sqlWindow,
        find: "if (instants.length === 0) return otherwise",
        replace: "if (instants.length >= 0) return otherwise"
      }
    ],
    net: Net.zone
  },
  {
    name: "changes that are never used up",
    laws: ["L1", "L2"],
    because: "the next difference adds what the one before has added already",
    edits: [
      {
        file: sqlDelta,
        find: "AS (DELETE FROM ${logOf(pg, asset, input)} RETURNING *)",
        replace: "AS (SELECT * FROM ${logOf(pg, asset, input)})"
      }
    ],
    net: Net.differences(/wherever an order moves/)
  },
  {
    name: "left behind, and still logged",
    laws: ["L2"],
    because: "a unit that a step did not build is brought up to date by changes that the step has used up",
    edits: [
      {
        file: "packages/core/src/ledger/SqlStaleSets.ts",
        find: "SET is_logged = FALSE WHERE s.asset",
        replace: "SET is_logged = s.is_logged WHERE s.asset"
      }
    ],
    net: Net.differences(/used up what had changed/)
  },
  {
    name: "a range left behind, and still logged",
    laws: ["L2"],
    because: "what came as a range while a step used up the logs is brought up to date by changes that are gone",
    edits: [
      {
        file: "packages/core/src/ledger/SqlStaleSets.ts",
        find: "SET is_logged = FALSE WHERE asset",
        replace: "SET is_logged = is_logged WHERE asset"
      }
    ],
    net: Net.differences(/read none of it/)
  },
  {
    name: "the last range tells",
    laws: ["L2"],
    because: "a range whose changes no log holds is taken for logged as soon as the same range is marked again",
    edits: [
      {
        file: "packages/core/src/ledger/SqlStaleSets.ts",
        find: "is_logged = is_logged AND ${logged}",
        replace: "is_logged = ${logged}"
      }
    ],
    net: Net.differences(/read none of it/)
  },
  {
    name: "over a gap",
    laws: ["L2"],
    because: "a change that no log holds is left out of the difference",
    edits: [{ file: sqlDelta, find: "  if (hasGap) return", replace: "  if (hasGap && every.length < 0) return" }],
    net: Net.differences(/behind a gap/)
  },
  {
    name: "groups of nothing",
    laws: ["L1"],
    because: "a group that nothing belongs to any more stays, with zeros",
    edits: [{ file: sqlDelta, find: "is_doubtful && unit !== null ? [unit] : []", replace: "[]" }],
    net: Net.differences(/wherever an order moves/)
  }
]
