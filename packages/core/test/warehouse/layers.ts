/**
 * The two warehouses that the suites of this folder are held against, each with its transactor and with a `Probe` for
 * what lies outside of the contract: how units are given to a step, and how a set of units is read.
 */
import * as MemoryWarehouse from "@assay/core/warehouse/MemoryWarehouse"
import * as Postgres from "@assay/core/postgres/Postgres"
import * as SqlWarehouse from "@assay/core/warehouse/SqlWarehouse"
import { identifier, sql } from "@assay/core/Sql"
import * as Transactor from "@assay/core/Transactor"
import { listed, relation, type Unit, type UnitSet } from "@assay/core/Unit"
import type { Reason } from "@assay/core/MaterializationError"
import type { Scope, Warehouse } from "@assay/core/warehouse/Warehouse"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestDatabase from "../support/TestDatabase.ts"

export class Probe extends Context.Service<
  Probe,
  {
    /** A step's scope of keys, within the caller's transaction. */
    readonly keys: (keys: ReadonlyArray<string>) => Effect.Effect<Scope, Reason>
    /** A step's scope of partitions, within the caller's transaction. */
    readonly partitions: (partitions: ReadonlyArray<Unit>) => Effect.Effect<Scope, Reason>
    /** The units of a set, sorted, within the caller's transaction. */
    readonly units: (set: UnitSet) => Effect.Effect<ReadonlyArray<string>, Reason>
  }
>()("@assay/core/test/warehouse/Probe") {}

export type Services = Warehouse | Transactor.Transactor | Probe

export const memory: Layer.Layer<Services> = Layer.mergeAll(
  MemoryWarehouse.layer,
  Transactor.layerMemory,
  Layer.succeed(Probe, {
    keys: (keys) => Effect.succeed({ units: listed(keys), partitions: [] }),
    partitions: (partitions) => Effect.succeed({ units: listed(partitions.map(({ unit }) => unit)), partitions }),
    units: (set) => Effect.succeed(set._tag === "Listed" ? set.units.toSorted() : described(set))
  })
).pipe(Layer.provide(Transactor.layerMemoryStore))

const picked = "_assay_picked"

const pick = Effect.fnUntraced(function* (units: ReadonlyArray<Unit>) {
  const pg = yield* Postgres.Postgres
  const instants = (bound: "start" | "end") =>
    units.map(({ window }) => (window === undefined ? null : DateTime.formatIso(DateTime.makeUnsafe(window[bound]))))
  yield* pg.execute(sql`CREATE TEMPORARY TABLE IF NOT EXISTS ${identifier(picked)}
    (unit text NOT NULL, version bigint, window_start timestamptz, window_end timestamptz) ON COMMIT DELETE ROWS`)
  yield* pg.execute(sql`DELETE FROM ${identifier(picked)}`)
  yield* pg.execute(sql`INSERT INTO ${identifier(picked)} (unit, window_start, window_end) SELECT * FROM unnest(
    ${units.map(({ unit }) => unit)}::text[], ${instants("start")}::timestamptz[], ${instants("end")}::timestamptz[])`)
  return relation(picked)
})

const layerProbe = Layer.effect(
  Probe,
  Effect.map(Postgres.Postgres, (pg) => ({
    keys: (keys: ReadonlyArray<string>) =>
      pick(keys.map((unit) => ({ unit, window: undefined }))).pipe(
        Effect.map((units): Scope => ({ units, partitions: [] })),
        Effect.provideService(Postgres.Postgres, pg)
      ),
    partitions: (partitions: ReadonlyArray<Unit>) =>
      pick(partitions).pipe(
        Effect.map((units): Scope => ({ units, partitions })),
        Effect.provideService(Postgres.Postgres, pg)
      ),
    units: (set: UnitSet) =>
      set._tag === "Relation"
        ? Effect.map(
            pg.query(
              sql`SELECT unit FROM ${identifier(set.name)} ORDER BY unit COLLATE "C"`,
              Schema.Struct({ unit: Schema.String })
            ),
            (rows) => rows.map(({ unit }) => unit)
          )
        : Effect.succeed(described(set))
  }))
)

/** The warehouse of one schema in the database of a client. */
export const overClient = Layer.merge(SqlWarehouse.layer, layerProbe).pipe(
  Layer.provideMerge(Postgres.layer({ warehouse: "dev", ledger: "dev_ledger" }))
)

/** The warehouse in a database of its own. */
export const postgres: Layer.Layer<Services | Postgres.Postgres | TestDatabase.TestDatabase, unknown> = overClient.pipe(
  Layer.provideMerge(TestDatabase.layer)
)

// --- internal ---

const described = (set: UnitSet): ReadonlyArray<string> => {
  switch (set._tag) {
    case "None":
      return []
    case "All":
      return ["<all>"]
    case "From":
      return [`<from> ${set.unit}`]
    case "Listed":
      return set.units
    case "Relation":
      throw new Error(`the relation "${set.name}" cannot be read here`)
  }
}
