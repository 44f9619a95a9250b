/**
 * The tables of the ledger and how they came to be: numbered steps, applied in order, never changed once released and
 * never undone. `packages/core/schema.sql` shows where they lead; `pnpm schema:check` fails when it is out of date.
 *
 * Texts that name things (assets, units, origins, run ids) have the collation "C": their order is the same in every
 * database, ranges of units are compared bytewise, and a prefix search can use the primary key.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DefinitionFault, type Reason } from "../MaterializationError.ts"
import { Postgres } from "../postgres/Postgres.ts"
import { compile, identifier, literal, sql, type Sql } from "../Sql.ts"
import { Transactor } from "../Transactor.ts"

/**
 * One step of the ledger's history.
 *
 * @category models
 * @since 0.1.0
 */
export interface Migration {
  readonly id: number
  readonly name: string
  /** Its statements, for a ledger in the given database schema. */
  readonly statements: (schema: string) => ReadonlyArray<Sql>
}

/**
 * Brings the ledger of a database up to date and yields what was applied. Processes that start at once wait for each
 * other; with nothing to do it costs one query.
 *
 * **Details**
 *
 * Each migration is a transaction of its own, together with its record. A database that knows other migrations than
 * this version of the package is left as it is, with an error.
 *
 * @category effects
 * @since 0.1.0
 */
export const run: Effect.Effect<ReadonlyArray<Migration>, Reason, Postgres | Transactor> = Effect.suspend(() =>
  apply(all)
)

/**
 * The same for a given list of migrations, in the order of their ids.
 *
 * @category effects
 * @since 0.1.0
 */
export const apply = Effect.fn("Migrations.apply")(function* (
  known: ReadonlyArray<Migration>
): Effect.fn.Return<ReadonlyArray<Migration>, Reason, Postgres | Transactor> {
  const transactor = yield* Transactor
  const pending = yield* missing(known, yield* applied)
  const done: Array<Migration> = []
  for (const migration of pending) {
    const isNew = yield* transactor.transact(applyOne(known, migration))
    if (isNew) done.push(migration)
  }
  return done
})

/**
 * Every migration, in order.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<Migration> = [
  { id: 1, name: "stale sets", statements: (schema) => staleSets(schema) },
  { id: 2, name: "runs", statements: (schema) => runs(schema) },
  { id: 3, name: "landings", statements: (schema) => landings(schema) },
  { id: 4, name: "outbox", statements: (schema) => outbox(schema) },
  { id: 5, name: "automation", statements: (schema) => automation(schema) },
  { id: 6, name: "built sets", statements: (schema) => builtSets(schema) },
  { id: 7, name: "position revisions", statements: (schema) => positionRevisions(schema) },
  { id: 8, name: "partition keys", statements: (schema) => partitionKeys(schema) },
  { id: 9, name: "backfills", statements: (schema) => backfills(schema) },
  { id: 10, name: "logged marks", statements: (schema) => loggedMarks(schema) },
  { id: 11, name: "logged ranges", statements: (schema) => loggedRanges(schema) }
]

// --- internal ---

interface Applied {
  readonly id: number
  readonly name: string
}

const Applied = Schema.Struct({ id: Schema.Int, name: Schema.String })

/** What the database says; nothing where there is no ledger yet. Not in a transaction, which the error would end. */
const applied: Effect.Effect<ReadonlyArray<Applied>, Reason, Postgres> = Effect.gen(function* () {
  const pg = yield* Postgres
  return yield* pg.query(sql`SELECT id, name FROM ${identifier(pg.schemas.ledger, "migration")} ORDER BY id`, Applied)
}).pipe(
  Effect.catchIf(
    (reason) => reason._tag === "DefinitionFault" && (reason.code === "42P01" || reason.code === "3F000"),
    () => Effect.succeed([])
  )
)

const missing = Effect.fnUntraced(function* (known: ReadonlyArray<Migration>, present: ReadonlyArray<Applied>) {
  const { schemas } = yield* Postgres
  const fail = (message: string) =>
    new DefinitionFault({ message: `the ledger in database schema "${schemas.ledger}" ${message}`, code: undefined })
  const latest = present.at(-1)
  const newest = known.at(-1)?.id ?? 0
  if (latest === undefined) return known
  if (latest.id > newest) {
    return yield* fail(
      `is at migration ${latest.id} ("${latest.name}"), but this version of @assay/core knows only ` +
        `migrations up to ${newest}. Run a version that is at least as new as the one that migrated it.`
    )
  }
  for (const { id, name } of present) {
    const same = known.find((migration) => migration.id === id)
    if (same?.name !== name) {
      return yield* fail(
        `has migration ${id} as "${name}", where this version of @assay/core has ` +
          `${same === undefined ? "none" : `"${same.name}"`}. It was made by another line of versions; use that one, ` +
          "or another ledger."
      )
    }
  }
  const pending = known.filter(({ id }) => !present.some((migration) => migration.id === id))
  const skipped = pending.find(({ id }) => id < latest.id)
  if (skipped !== undefined) {
    return yield* fail(
      `lacks migration ${skipped.id} ("${skipped.name}") although ${latest.id} ("${latest.name}") is ` +
        "applied. Migrations are applied in order only; restore the ledger from before, or use another one."
    )
  }
  return pending
})

const applyOne = Effect.fnUntraced(function* (known: ReadonlyArray<Migration>, migration: Migration) {
  const pg = yield* Postgres
  const schema = pg.schemas.ledger
  const table = identifier(schema, "migration")
  yield* pg.execute(
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${JSON.stringify(["assay migrations", schema])}, 0))`
  )
  // CREATE SCHEMA IF NOT EXISTS asks for the right to create one even where it exists.
  const [found] = yield* pg.query(
    sql`SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = ${schema}) AS schema,
      EXISTS (SELECT FROM pg_tables WHERE schemaname = ${schema} AND tablename = 'migration') AS table`,
    Schema.Struct({ schema: Schema.Boolean, table: Schema.Boolean })
  )
  if (found === undefined || !found.schema) yield* pg.execute(sql`CREATE SCHEMA ${identifier(schema)}`)
  if (found === undefined || !found.table) {
    for (const statement of migrationTable(schema)) yield* pg.execute(statement)
  }
  const pending = yield* missing(known, yield* pg.query(sql`SELECT id, name FROM ${table} ORDER BY id`, Applied))
  if (!pending.includes(migration)) return false
  for (const statement of migration.statements(schema)) yield* pg.execute(statement)
  yield* pg.execute(sql`INSERT INTO ${table} (id, name) VALUES (${migration.id}, ${migration.name})`)
  return true
})

const migrationTable = (schema: string): ReadonlyArray<Sql> =>
  table(schema, "migration", "The migrations that made this ledger.", {
    columns: {
      id: ["integer PRIMARY KEY", "Number of the migration."],
      name: ["text NOT NULL", "What it is about."]
    }
  })

const staleSets = (schema: string): ReadonlyArray<Sql> => [
  ...table(schema, "asset", "The assets that the ledger knows.", {
    columns: {
      asset: [`${name} PRIMARY KEY`, "Name of the asset."],
      code_version: ["text NOT NULL", "Version of the code that its stale set answers for."],
      reads: ["text[] NOT NULL", "The assets whose changes make it stale, views left out."],
      registered_at: ["timestamptz NOT NULL", "When the asset became known with this code."]
    }
  }),
  ...sequence(schema, "stale_version", "The versions of marks. A mark that is made again gets a higher one."),
  // The key serves every query: the marks of an asset in order of unit, one unit, the number of marks by cause.
  ...table(schema, "stale_unit", "Units whose content may differ from the full refresh, one by one.", {
    columns: {
      asset: [name, "The stale asset."],
      unit: [name, "The stale unit: a partition key, the text of a key, or * for the whole table."],
      version: ["bigint NOT NULL", "Version of the mark; a step clears only the version that it picked."],
      cause: ["text NOT NULL", "Why the unit is stale."],
      marked_at: ["timestamptz NOT NULL", "When it was marked last."]
    },
    constraints: ["PRIMARY KEY (asset, unit)"]
  }),
  ...table(schema, "stale_range", "Units whose content may differ from the full refresh, as ranges without a list.", {
    columns: {
      asset: [name, "The stale asset."],
      version: ["bigint NOT NULL", "Version of the mark; a step clears only the version that it picked."],
      from_unit: [`text COLLATE "C"`, "The first stale unit; null where every unit is stale."],
      cause: ["text NOT NULL", "Why the units are stale."],
      marked_at: ["timestamptz NOT NULL", "When they were marked."]
    },
    constraints: ["PRIMARY KEY (asset, version)"]
  })
]

const runs = (schema: string): ReadonlyArray<Sql> => [
  // A heartbeat changes no indexed column and finds room on its page, so it leaves the indexes alone (a HOT update).
  ...table(schema, "run", "The executions of plans.", {
    columns: {
      run_id: [`${name} PRIMARY KEY`, "Id of the run."],
      status: [`text NOT NULL ${oneOf("status", statuses)}`, "State of the run."],
      assets: ["text[] NOT NULL", "The assets of the plan."],
      partitions: ["text", "The range of partitions as it was asked for; null where none was."],
      requested_by: ["text NOT NULL", "Who or what asked for the run."],
      why: ["text NOT NULL", "Why it was asked for."],
      started_at: ["timestamptz NOT NULL", "When the run began."],
      heartbeat_at: ["timestamptz NOT NULL", "Last sign of life of the process that executes the run."],
      finished_at: ["timestamptz", "When the run ended; null while it is running."],
      error: ["text", "Why the run failed or was cancelled."]
    },
    storage: "fillfactor = 70"
  }),
  ...index(schema, "run_latest", {
    table: "run",
    by: "(started_at, run_id)",
    serves: "The latest runs (Runs.list)."
  }),
  ...index(schema, "run_running", {
    table: "run",
    by: "(run_id) WHERE status = 'running'",
    serves: "The runs that may be dead, a handful among all (Runs.abandon)."
  }),
  ...table(schema, "step", "What each run did to each of its assets.", {
    columns: {
      run_id: [name, "The run."],
      step_index: ["integer NOT NULL", "Place of the step in the plan, from 0."],
      asset: [name, "The asset that the step materializes."],
      status: [`text NOT NULL ${oneOf("status", statuses)}`, "State of the step."],
      kind: [`text NOT NULL ${oneOf("kind", ["land", "build"])}`, "Whether rows come from outside or from the inputs."],
      attempts: ["integer NOT NULL", "How often the step was tried."],
      units: ["bigint NOT NULL", "How many units it rebuilt."],
      rows_read: ["bigint NOT NULL", "Rows read from the source."],
      rows_inserted: ["bigint NOT NULL", "Rows that are new in the table."],
      rows_updated: ["bigint NOT NULL", "Rows that changed in the table."],
      rows_deleted: ["bigint NOT NULL", "Rows that are gone from the table."],
      rows_unchanged: ["bigint NOT NULL", "Rows that were computed and found as they were."],
      rows_quarantined: ["bigint NOT NULL", "Rows that were rejected."],
      duration_ms: ["double precision NOT NULL", "How long it took, in milliseconds."],
      error: ["text", "Why the step failed, was skipped or cancelled."],
      reason: ["text", "Tag of the reason for which the step failed, or UpstreamFailed."],
      why: ["text NOT NULL", "Why the plan has the step."],
      code_version: ["text NOT NULL", "Version of the asset's code."],
      started_at: ["timestamptz NOT NULL", "When the step began."],
      finished_at: ["timestamptz", "When it ended; null while it is running."]
    },
    constraints: [
      "PRIMARY KEY (run_id, step_index)",
      `FOREIGN KEY (run_id) REFERENCES ${qualified(schema, "run")} (run_id) ON DELETE CASCADE`
    ]
  }),
  ...index(schema, "step_latest", {
    table: "step",
    by: "(asset, started_at, run_id, step_index)",
    serves: "The latest step of an asset, whatever the number of runs (Runs.lastOf)."
  }),
  // Years of runs rebuild the same units; no indexed column changes, so updates stay on their page.
  ...table(schema, "materialization", "The last materialization of every unit.", {
    columns: {
      asset: [name, "The asset."],
      unit: [name, "The unit: a partition key, the text of a key, or * for the whole table."],
      rows: ["bigint NOT NULL", "Rows of the unit."],
      content_hash: ["text NOT NULL", "Hash of the content of the unit."],
      code_version: ["text NOT NULL", "Version of the code that built it."],
      run_id: ["text NOT NULL", "The run that built it."],
      materialized_at: ["timestamptz NOT NULL", "When it was built."]
    },
    constraints: ["PRIMARY KEY (asset, unit)"],
    storage: "fillfactor = 80"
  })
]

const landings = (schema: string): ReadonlyArray<Sql> => [
  ...table(schema, "position", "How far each origin was landed.", {
    columns: {
      asset: [name, "The source asset."],
      origin: [name, "A file, a table, whatever the source delivers from."],
      value: ["jsonb NOT NULL", "The position; only the source knows what it means."],
      landed_at: ["timestamptz NOT NULL", "When it was reached."]
    },
    constraints: ["PRIMARY KEY (asset, origin)"],
    storage: "fillfactor = 80"
  }),
  ...table(schema, "quarantine", "Rows that could not land, each with every reason.", {
    columns: {
      id: ["bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "Id of the row in quarantine."],
      asset: [name, "The asset that it could not land in."],
      origin: [name, "Where it came from."],
      line: ["bigint NOT NULL", "The line on which it begins, from 1."],
      raw: ["text NOT NULL", "The row as it came."],
      raw_is_json: [
        "boolean NOT NULL",
        "Whether raw is written as a JSON string, because text cannot hold it: it has a NUL or half a character."
      ],
      raw_hash: ["text NOT NULL", "MD5 of the row as it came."],
      reasons: ["text[] NOT NULL", "Why it was rejected."],
      // Not jsonb, which refuses an escaped NUL.
      context: ["json NOT NULL", "What the source needs to read it again."],
      run_id: ["text NOT NULL", "The run that rejected it."],
      quarantined_at: ["timestamptz NOT NULL", "When it was rejected first."],
      retried_at: ["timestamptz", "When it was last read again in vain."],
      released_at: ["timestamptz", "When it landed after all; null while it waits."],
      released_by: ["text", "The run that landed it after all."]
    }
  }),
  ...index(schema, "quarantine_identity", {
    isUnique: true,
    table: "quarantine",
    by: "(asset, origin, line, raw_hash) WHERE released_at IS NULL",
    serves: "A row waits once (Quarantine.add); the hash stands for the text, which may be too long for an index."
  }),
  ...index(schema, "quarantine_waiting", {
    table: "quarantine",
    by: "(asset, id) WHERE released_at IS NULL",
    serves:
      "The waiting rows of an asset in order (Quarantine.list, Quarantine.count); released rows weigh nothing here."
  }),
  ...index(schema, "quarantine_waiting_all", {
    table: "quarantine",
    by: "(id) WHERE released_at IS NULL",
    serves: "The waiting rows of all assets in order (Quarantine.list, Quarantine.count)."
  })
]

const outbox = (schema: string): ReadonlyArray<Sql> =>
  table(schema, "outbox", "Events to be told outside; deleted when they were.", {
    columns: {
      transaction_id: [
        "xid8 NOT NULL DEFAULT pg_current_xact_id()",
        "The transaction that wrote the event; it is read when all transactions up to this one have ended."
      ],
      id: ["bigint GENERATED ALWAYS AS IDENTITY", "Order of the events within their transaction."],
      event: ["json NOT NULL", "The event."]
    },
    constraints: ["PRIMARY KEY (transaction_id, id)"]
  })

const automation = (schema: string): ReadonlyArray<Sql> => [
  // Null for what was recorded before; a column without a default rewrites no row.
  sql`ALTER TABLE ${identifier(schema, "materialization")} ADD COLUMN transaction_id xid8`,
  sql`COMMENT ON COLUMN ${identifier(schema, "materialization", "transaction_id")} IS ${quoted(
    "The transaction that recorded it; tells what is newer than a snapshot."
  )}`,
  ...table(schema, "automation_cursor", "What the last evaluation of an asset's condition left behind.", {
    columns: {
      asset: [`${name} PRIMARY KEY`, "The asset."],
      definition: ["text NOT NULL", "Hash of its condition and its partitions; what is remembered of others is void."],
      evaluated_at: ["timestamptz NOT NULL", "When it was evaluated."],
      seen: ["pg_snapshot NOT NULL", "What was committed then: what is not visible in it is newly updated."],
      parts: ["json NOT NULL", "Of which units parts of the condition were true, where it asks for that."]
    },
    storage: "fillfactor = 80"
  }),
  ...table(schema, "automation_request", "What daemons have requested and not finished yet.", {
    columns: {
      asset: [name, "The requested asset."],
      run_id: ["text NOT NULL", "The run that carries it out."],
      partitions: ["json NOT NULL", "The requested partitions."],
      watcher: ["text NOT NULL", "The daemon that carries it out, alive while it holds the lock of this name."],
      requested_at: ["timestamptz NOT NULL", "When it was requested."]
    },
    constraints: ["PRIMARY KEY (run_id, asset)"]
  }),
  ...table(schema, "automation_failure", "Units that a daemon has requested in vain.", {
    columns: {
      asset: [name, "The asset."],
      unit: [name, "The unit: a partition key, or * for the whole asset."],
      version: ["text NOT NULL", "State of its marks when it was requested; another one is a reason to try again."],
      is_check: ["boolean NOT NULL", "Whether a blocking check failed."],
      tries: ["integer NOT NULL", "How often it was requested in this state."],
      retry_at: ["timestamptz", "When it is tried again by itself; null where only a change can help."]
    },
    constraints: ["PRIMARY KEY (asset, unit)"]
  })
]

const builtSets = (schema: string): ReadonlyArray<Sql> =>
  table(schema, "built_set", "What is built of partitioned assets, as ranges, where ranges can say all of it.", {
    columns: {
      asset: [`${name} PRIMARY KEY`, "The asset."],
      code_version: ["text", "Version of the code that built all of its units."],
      definition: ["text", "Hash of its partitions; the ranges of others mean something else."],
      ranges: ["json", "First and last key of each range; null where only the materializations tell."]
    },
    storage: "fillfactor = 80"
  })

const positionRevisions = (schema: string): ReadonlyArray<Sql> => [
  sql`ALTER TABLE ${identifier(schema, "position")} ADD COLUMN revision bigint GENERATED ALWAYS AS IDENTITY`,
  sql`COMMENT ON COLUMN ${identifier(schema, "position", "revision")} IS ${quoted(
    "Number of the move that reached it, greater with each move; tells whether anything of the asset was landed since."
  )}`,
  ...index(schema, "position_revision", {
    table: "position",
    by: "(asset, revision)",
    serves: "The last move of an asset's positions (Positions.revision)."
  })
]

const partitionKeys = (schema: string): ReadonlyArray<Sql> =>
  table(schema, "partition_key", "The keys of dynamic partitions, which are added and removed at run time.", {
    columns: {
      name: [name, "The name that the assets which are cut by the keys share."],
      key: [name, "The key."],
      revision: [
        "bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
        "Order of adding; a key that was removed and is added again has another one."
      ],
      added_at: ["timestamptz NOT NULL", "When it was added."]
    },
    constraints: ["PRIMARY KEY (name, key)"]
  })

const backfills = (schema: string): ReadonlyArray<Sql> => [
  ...table(schema, "backfill", "What was to be built of the past, once.", {
    columns: {
      backfill_id: [`${name} PRIMARY KEY`, "Id of the backfill."],
      status: [
        `text NOT NULL ${oneOf("status", ["running", "succeeded", "failed", "cancelled"])}`,
        "State of the backfill; running also while no process works on it."
      ],
      selection: ["text NOT NULL", "The assets as they were selected."],
      partitions: ["text", "The range of partitions as it was asked for; null where none was."],
      only_units: ["text[] NOT NULL", "The states that units had to be in; empty where any would do."],
      max_concurrent: ["integer NOT NULL", "The most runs at once, over all processes."],
      requested_by: ["text NOT NULL", "Who or what asked for it."],
      why: ["text NOT NULL", "Why it was asked for."],
      started_at: ["timestamptz NOT NULL", "When it began."],
      heartbeat_at: ["timestamptz NOT NULL", "Last sign of life of a process that works on it."],
      finished_at: ["timestamptz", "When it ended; null while it is running."]
    },
    storage: "fillfactor = 70"
  }),
  ...index(schema, "backfill_latest", {
    table: "backfill",
    by: "(started_at, backfill_id)",
    serves: "The latest backfills (Backfills.list)."
  }),
  // The sets change with every step, and no indexed column does (a HOT update).
  ...table(schema, "backfill_asset", "How far a backfill is with each of its assets, as sets of units.", {
    columns: {
      backfill_id: [name, "The backfill."],
      asset: [name, "The asset."],
      place: ["integer NOT NULL", "Place of the asset in the graph, upstream before downstream."],
      target: ["json NOT NULL", "The units to be built."],
      requested: ["json NOT NULL", "Those of them that were handed to a run."],
      built: ["json NOT NULL", "Those of them that were built."],
      failed: ["json NOT NULL", "Those of them that could not be built, and what is made of such units."],
      failures: ["json NOT NULL", "Why units could not be built; units that only lie downstream have no entry."],
      run_id: ["text", "The run that is under way; null where there is none."],
      process: ["text", "The process that carries it out, there while it holds the lock of this name."]
    },
    constraints: [
      "PRIMARY KEY (backfill_id, asset)",
      `FOREIGN KEY (backfill_id) REFERENCES ${qualified(schema, "backfill")} (backfill_id) ON DELETE CASCADE`
    ],
    storage: "fillfactor = 50"
  })
]

const loggedMarks = (schema: string): ReadonlyArray<Sql> => {
  const unit = identifier(schema, "stale_unit")
  return [
    sql`ALTER TABLE ${unit} ADD COLUMN is_logged boolean NOT NULL DEFAULT FALSE`,
    sql`COMMENT ON COLUMN ${identifier(schema, "stale_unit", "is_logged")} IS ${quoted("Whether all rows whose change marked it are in the change logs of the asset, so that their difference can be added.")}`,
    ...index(schema, "stale_unit_logged_idx", {
      table: "stale_unit",
      by: "(asset) WHERE is_logged",
      serves: "The marks whose changes a step has just used up (StaleSets.clear)."
    })
  ]
}

const loggedRanges = (schema: string): ReadonlyArray<Sql> => [
  sql`ALTER TABLE ${identifier(schema, "stale_range")} ADD COLUMN is_logged boolean NOT NULL DEFAULT FALSE`,
  sql`COMMENT ON COLUMN ${identifier(schema, "stale_range", "is_logged")} IS ${quoted("Whether all rows whose change marked it are in the change logs of the asset, so that their difference can be added.")}`
]

/** As of the migration that uses them: a state that is added to `RunStatus` needs a migration of its own. */
const statuses = ["running", "succeeded", "failed", "skipped", "cancelled"]

/** The type of a column that names something. */
const name = `text COLLATE "C" NOT NULL`

const qualified = (...path: ReadonlyArray<string>): string => compile(identifier(...path)).text

const quoted = (text: string): Sql => literal(`'${text.replaceAll("'", "''")}'`)

const oneOf = (column: string, values: ReadonlyArray<string>): string =>
  `CHECK (${column} IN (${values.map((value) => `'${value}'`).join(", ")}))`

interface Table {
  readonly columns: { readonly [column: string]: readonly [definition: string, comment: string] }
  readonly constraints?: ReadonlyArray<string>
  readonly storage?: string
}

const table = (
  schema: string,
  name: string,
  comment: string,
  { columns, constraints = [], storage }: Table
): ReadonlyArray<Sql> => {
  const lines = [...Object.entries(columns).map(([column, [definition]]) => `${column} ${definition}`), ...constraints]
  const body = `(${lines.join(", ")})${storage === undefined ? "" : ` WITH (${storage})`}`
  return [
    sql`CREATE TABLE ${identifier(schema, name)} ${literal(body)}`,
    sql`COMMENT ON TABLE ${identifier(schema, name)} IS ${quoted(comment)}`,
    ...Object.entries(columns).map(
      ([column, [, comment]]) => sql`COMMENT ON COLUMN ${identifier(schema, name, column)} IS ${quoted(comment)}`
    )
  ]
}

interface Index {
  readonly table: string
  readonly by: string
  /** The queries that it is there for. */
  readonly serves: string
  readonly isUnique?: boolean
}

const index = (schema: string, name: string, { by, isUnique = false, serves, table }: Index): ReadonlyArray<Sql> => {
  const create = literal(isUnique ? "CREATE UNIQUE INDEX" : "CREATE INDEX")
  return [
    sql`${create} ${identifier(name)} ON ${identifier(schema, table)} ${literal(by)}`,
    sql`COMMENT ON INDEX ${identifier(schema, name)} IS ${quoted(serves)}`
  ]
}

const sequence = (schema: string, name: string, comment: string): ReadonlyArray<Sql> => [
  sql`CREATE SEQUENCE ${identifier(schema, name)}`,
  sql`COMMENT ON SEQUENCE ${identifier(schema, name)} IS ${quoted(comment)}`
]
