/**
 * The warehouse in memory: the same promises as on PostgreSQL, for tests and for trying things out. It runs the `rows`
 * of computes. Its tables are values in the memory store, never changed in place, so that the store undoes a failed
 * transaction.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Asset } from "../Asset.ts"
import type { AssetCheck, CheckResult } from "../AssetCheck.ts"
import type { Row } from "../Column.ts"
import type { AnyRows } from "../Compute.ts"
import { DefinitionFault, type Reason } from "../MaterializationError.ts"
import { matches } from "../RowFilter.ts"
import { MemoryStore } from "../Transactor.ts"
import { all, listed, none } from "../Unit.ts"
import * as Change from "./Change.ts"
import * as MemoryCheck from "./MemoryCheck.ts"
import * as MemoryContent from "./MemoryContent.ts"
import * as MemoryRelation from "./MemoryRelation.ts"
import * as MemoryTable from "./MemoryTable.ts"
import * as MemoryUnit from "./MemoryUnit.ts"
import * as Refusal from "./Refusal.ts"
import * as TableShape from "./TableShape.ts"
import { type Difference, type Scope, Warehouse, type Written } from "./Warehouse.ts"

/**
 * The warehouse in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Warehouse, never, MemoryStore> = Layer.effect(
  Warehouse,
  Effect.gen(function* () {
    const store = yield* MemoryStore
    const tables = store.cell<ReadonlyMap<string, MemoryTable.MemoryTable>>(new Map())
    const changes = store.cell<ReadonlyMap<string, Change.Change>>(new Map())

    const tableOf = (asset: Asset) => tables.get().get(asset.name) ?? MemoryTable.empty(asset)
    const changeOf = (asset: Asset) => changes.get().get(asset.name) ?? Change.empty
    const rowsOf: RowsOf = (asset) =>
      asset.write._tag === "View"
        ? viewRows(asset, rowsOf)
        : Effect.sync(() => Array.from(tableOf(asset).rows.values()))

    const keep = (asset: Asset, outcome: Result.Result<MemoryTable.Outcome, Reason>): Effect.Effect<Written, Reason> =>
      Effect.map(Effect.fromResult(outcome), ({ change, table, written }) => {
        tables.set(new Map(tables.get()).set(asset.name, table))
        changes.set(new Map(changes.get()).set(asset.name, change))
        return written
      })

    return Warehouse.of({
      prepare: Effect.fnUntraced(function* ({ assets }) {
        const made: Array<string> = []
        for (const asset of assets.values()) {
          if (asset.write._tag === "View") continue
          const table = tables.get().get(asset.name)
          if (table === undefined) {
            tables.set(new Map(tables.get()).set(asset.name, MemoryTable.empty(asset)))
            made.push(asset.name)
          } else yield* TableShape.compare(asset, table.columns.map(TableShape.declared))
        }
        return made
      }),

      redefine: () => Effect.void,

      settle: ({ asset }) =>
        Effect.sync(() => changes.set(new Map(Array.from(changes.get()).filter(([name]) => name !== asset.name)))),

      land: ({ asset, knownBy, rows }) =>
        Effect.suspend(() => keep(asset, MemoryTable.append(tableOf(asset), asset, rows, knownBy))),

      build: Effect.fnUntraced(function* ({ asset, computed = Effect.void, scope }) {
        const rows = yield* compute(asset, scope, rowsOf)
        yield* computed
        const named = scope.units._tag === "All" ? yield* unitsNamed(asset, rowsOf) : undefined
        if (named !== undefined) yield* Effect.fromResult(MemoryTable.refuseForeign(asset, rows, named))
        return yield* keep(asset, MemoryTable.write(tableOf(asset), asset, scope, rows))
      }),

      isByDifference: () => Effect.succeed(false),

      withdraw: ({ asset, except }) =>
        Effect.suspend(() => keep(asset, Result.succeed(MemoryTable.withdraw(tableOf(asset), asset, except)))),

      check: ({ asset, scope }) => Effect.suspend(() => check(asset, scope, rowsOf, changeOf(asset))),

      affected: Effect.fnUntraced(function* (edge) {
        const { mapping } = edge.input
        const change = changeOf(edge.upstream)
        switch (mapping._tag) {
          case "ByColumns":
            return Change.byColumns(edge, mapping, change)
          case "AsOf": {
            const facts = edge.downstream.inputs.find(({ as }) => as === mapping.facts)
            const { write } = edge.upstream
            if (facts === undefined || write._tag !== "Scd2") return all
            return Change.asOf(edge, mapping, { change, facts, rows: yield* rowsOf(facts.asset), write })
          }
          case "Onwards":
            return Change.onwards(edge, mapping, change)
          case "Last":
            return Change.last(edge, { change, rows: yield* rowsOf(edge.upstream) })
          case "Keys":
            return Change.keys(edge, mapping, change)
          default:
            return Change.difference(edge, [], change).length > 0 ? all : none
        }
      }),

      log: () => Effect.succeed(false),

      changed: (edge) => Effect.sync(() => Change.partitions(edge, changeOf(edge.upstream))),

      contents: ({ asset, scope }) => Effect.map(rowsOf(asset), (rows) => MemoryContent.contents(asset, scope, rows)),

      count: (asset) => Effect.map(rowsOf(asset), (rows) => rows.length),

      outside: (edge) => Effect.map(rowsOf(edge.upstream), (rows) => MemoryContent.outside(edge, rows)),

      rows: ({ asset, ...options }) =>
        Stream.unwrap(
          Effect.map(rowsOf(asset), (rows) => Stream.fromIterable(MemoryContent.ordered(asset, options, rows)))
        ),

      verify: Effect.fnUntraced(function* ({ asset, except, scope }) {
        const computed = yield* compute(asset, scope, rowsOf)
        return MemoryContent.compare(asset, { computed, stored: yield* rowsOf(asset), scope, except })
      }),

      verifyChain: Effect.fnUntraced(function* ({ graph, partitions }) {
        const recomputed = new Map<string, ReadonlyArray<Row>>()
        const differences = new Map<string, Difference>()
        const chainRows: RowsOf = (asset) =>
          asset.body._tag === "Source" ? rowsOf(asset) : Effect.succeed(recomputed.get(asset.name) ?? [])
        for (const asset of graph.assets.values()) {
          if (asset.body._tag === "Source") continue
          const computed = yield* compute(asset, scopeOf(asset, partitions(asset)), chainRows)
          recomputed.set(asset.name, computed)
          differences.set(
            asset.name,
            MemoryContent.compare(asset, { computed, stored: yield* rowsOf(asset), scope: everything, except: none })
          )
        }
        return differences
      })
    })
  })
)

// --- internal ---

type RowsOf = (asset: Asset) => Effect.Effect<ReadonlyArray<Row>, Reason>

const everything: Scope = { units: all, partitions: [] }

const scopeOf = (asset: Asset, partitions: Parameters<typeof MemoryRelation.units>[0]["partitions"]): Scope =>
  asset.write._tag === "ReplacePartitions"
    ? { units: listed(partitions.map(({ unit }) => unit)), partitions }
    : everything

const given = Effect.fnUntraced(function* (
  asset: Asset,
  scope: Scope,
  rowsOf: RowsOf
): Effect.fn.Return<AnyRows, Reason> {
  const inputs: Record<string, ReadonlyArray<Row>> = {}
  for (const input of asset.inputs) {
    inputs[input.as] = MemoryRelation.ofInput(asset, input, scope, yield* rowsOf(input.asset))
  }
  return { ...inputs, units: MemoryRelation.units(scope) }
})

/** The rows that a step computes, as its write strategy makes them. */
const compute = Effect.fnUntraced(function* (
  asset: Asset<string, unknown, never>,
  scope: Scope,
  rowsOf: RowsOf
): Effect.fn.Return<ReadonlyArray<Row>, Reason> {
  if (asset.body._tag === "Source") {
    return yield* new DefinitionFault({ message: "a source asset is landed, not computed", code: undefined })
  }
  const { rows } = asset.body.compute
  if (rows === undefined) return yield* withoutRows(asset)
  const result = rows(yield* given(asset, scope, rowsOf))
  return MemoryTable.resolve(asset, Effect.isEffect(result) ? yield* result : result)
})

/** A view is computed where it is read; what it needs must be there already, so its compute is a plain function. */
const viewRows = Effect.fnUntraced(function* (
  asset: Asset,
  rowsOf: RowsOf
): Effect.fn.Return<ReadonlyArray<Row>, Reason> {
  const rows = asset.body._tag === "Compute" ? asset.body.compute.rows : undefined
  if (rows === undefined) return yield* withoutRows(asset)
  const result = rows(yield* given(asset, everything, rowsOf))
  if (Effect.isEffect(result)) {
    return yield* new DefinitionFault({
      message: `view "${asset.name}" needs a compute whose rows are a plain function`,
      code: undefined
    })
  }
  return MemoryTable.resolve(asset, result)
})

/** The units that the rows of the inputs name; undefined where these are not all that there may be. */
const unitsNamed = Effect.fnUntraced(function* (
  asset: Asset,
  rowsOf: RowsOf
): Effect.fn.Return<ReadonlySet<string | null> | undefined, Reason> {
  const inputs = Refusal.naming(asset)
  if (inputs === undefined) return undefined
  const units = yield* Effect.forEach(inputs, (input) =>
    Effect.map(rowsOf(input.asset), (rows) =>
      rows.filter((row) => matches(input.asset.columns, input.where, row)).map(MemoryUnit.of(asset, input.columns))
    )
  )
  return new Set(units.flat())
})

const withoutRows = (asset: Asset): DefinitionFault =>
  new DefinitionFault({
    message:
      `the in-memory warehouse runs the rows of a compute, but "${asset.name}" gives only sql. ` +
      "Give its compute rows beside the sql, or materialize it on PostgreSQL.",
    code: undefined
  })

/** What the asset's checks find among the rows of a step; of a log, among those just landed. */
const check = Effect.fnUntraced(function* (
  asset: Asset,
  scope: Scope,
  rowsOf: RowsOf,
  change: Change.Change
): Effect.fn.Return<ReadonlyArray<CheckResult>, Reason> {
  const stored = yield* rowsOf(asset)
  const rows = asset.write._tag === "Append" ? change.added : stored.filter(MemoryUnit.isInScope(asset, scope))
  return yield* Effect.forEach(asset.checks, (one) =>
    Effect.map(inputsOf(asset, one, scope, rowsOf), (inputs) =>
      MemoryCheck.result(asset, one, { rows, stored, inputs })
    )
  )
})

/** The rows of the inputs that a check reads: of a look-up all of them, of a comparison those that the step computed from. */
const inputsOf = Effect.fnUntraced(function* (
  asset: Asset,
  { rule }: AssetCheck,
  scope: Scope,
  rowsOf: RowsOf
): Effect.fn.Return<{ readonly [as: string]: ReadonlyArray<Row> }, Reason> {
  if (rule._tag !== "Relationship" && rule._tag !== "Violations") return {}
  const read = asset.inputs.filter(({ as }) => rule._tag === "Violations" || as === rule.input)
  const inputs: Record<string, ReadonlyArray<Row>> = {}
  for (const input of read)
    inputs[input.as] = MemoryRelation.ofInput(
      asset,
      input,
      rule._tag === "Violations" ? scope : everything,
      yield* rowsOf(input.asset)
    )
  return inputs
})
