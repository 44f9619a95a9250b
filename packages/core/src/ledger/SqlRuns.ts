/**
 * Runs on PostgreSQL.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Codec from "../postgres/Codec.ts"
import { Postgres } from "../postgres/Postgres.ts"
import * as Run from "../Run.ts"
import { identifier, literal, sql, type Sql } from "../Sql.ts"
import type * as Retention from "./Retention.ts"
import { abandonedError, maxCandidates, Runs } from "./Runs.ts"

/**
 * Runs on PostgreSQL.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Runs, never, Postgres> = Layer.effect(
  Runs,
  Effect.gen(function* () {
    const pg = yield* Postgres
    const runTable = identifier(pg.schemas.ledger, "run")
    const stepTable = identifier(pg.schemas.ledger, "step")
    const latest = literal("started_at DESC, run_id DESC")

    const stepsOf = (runId: string) =>
      pg.query(sql`SELECT ${stepColumns} FROM ${stepTable} WHERE run_id = ${runId} ORDER BY step_index`, StepRow)

    return Runs.of({
      start: (run) => pg.later({ name: `run ${run.runId}`, parts: [insertRun(runTable, run)] }),

      beat: ({ at, runId }) =>
        Effect.map(
          pg.execute(sql`UPDATE ${runTable} SET heartbeat_at = ${instant(at)}
            WHERE run_id = ${runId} AND ${movedBy("beat")}`),
          (count) => count > 0
        ),

      finish: ({ at, error, runId, status }) =>
        Effect.map(
          pg.ahead(
            sql`UPDATE ${runTable} SET status = ${status}, error = ${error ?? null}, finished_at = ${instant(at)}
            WHERE run_id = ${runId} AND ${movedBy(Run.eventTo(status))} RETURNING run_id`,
            Schema.Struct({ run_id: Schema.String })
          ),
          (rows) => rows.length > 0
        ),

      record: (step) => pg.later({ name: `step ${step.runId} ${step.index}`, parts: [upsertStep(stepTable, step)] }),

      list: ({ limit }) =>
        Effect.map(
          pg.query(
            sql`SELECT ${runColumns}, (SELECT coalesce(json_object_agg(status, count), '{}') FROM (
                SELECT status, count(*) FROM ${stepTable} AS step WHERE step.run_id = run.run_id GROUP BY status
              ) AS counted) AS steps
              FROM ${runTable} AS run ORDER BY ${latest} LIMIT ${limit}`,
            Schema.Struct({ ...RunRow.fields, steps: Counts })
          ),
          (rows) => rows.map(({ steps, ...run }) => ({ run, steps: { ...noSteps, ...steps } }))
        ),

      // The range is the prefix search that the primary key serves; U+10FFFF comes after every other character.
      get: Effect.fnUntraced(function* (runId) {
        const rows = yield* pg.query(
          sql`SELECT ${runColumns}, (count(*) OVER ())::integer AS count FROM ${runTable}
            WHERE run_id = ${runId} OR NOT EXISTS (SELECT FROM ${runTable} WHERE run_id = ${runId})
              AND run_id >= ${runId} AND run_id < ${`${runId}\u{10FFFF}`}
            ORDER BY run_id LIMIT ${maxCandidates}`,
          Schema.Struct({ ...RunRow.fields, count: Schema.Int })
        )
        const [first] = rows
        if (first === undefined) return { _tag: "NotFound" }
        const { count, ...run } = first
        return count > 1
          ? { _tag: "Ambiguous", count, runIds: rows.map((row) => row.runId) }
          : { _tag: "Found", run, steps: yield* stepsOf(run.runId) }
      }),

      hasDead: (olderThan) =>
        Effect.map(
          pg.query(
            sql`SELECT EXISTS (SELECT FROM ${runTable} WHERE ${isDead(olderThan)}) AS any`,
            Schema.Struct({ any: Schema.Boolean })
          ),
          ([found]) => found?.any ?? false
        ),

      abandon: Effect.fnUntraced(function* ({ at, olderThan }) {
        const rows = yield* pg.query(
          sql`WITH dead AS (
                UPDATE ${runTable} SET status = 'cancelled', error = ${abandonedError}, finished_at = ${instant(at)}
                WHERE ${isDead(olderThan)} RETURNING run_id
              ), cancelled AS (
                UPDATE ${stepTable} AS step SET status = 'cancelled', error = ${abandonedError}, finished_at = ${instant(at)}
                FROM dead WHERE step.run_id = dead.run_id AND step.${movedBy("cancel")}
              )
              SELECT run_id FROM dead ORDER BY run_id`,
          Schema.Struct({ run_id: Schema.String })
        )
        return rows.map(({ run_id }) => run_id)
      }),

      // Index `step_latest`, read backwards and stopped at the first entry of each asset.
      lastOf: (assets) =>
        Effect.map(
          pg.query(
            sql`SELECT ${stepColumns} FROM unnest(${assets}::text[]) AS asked(name) CROSS JOIN LATERAL (
                SELECT * FROM ${stepTable} WHERE asset = asked.name ORDER BY ${latest}, step_index DESC LIMIT 1
              ) AS step`,
            StepRow
          ),
          (steps) => new Map(steps.map((step) => [step.asset, step]))
        ),

      prune: Effect.fnUntraced(function* (batch) {
        const [found] = yield* pg.query(prune({ runTable, stepTable }, batch), PrunedRow)
        const isMore = found?.looked === batch.limit
        return {
          count: found?.runs ?? 0,
          steps: found?.steps ?? 0,
          next: isMore ? (found.last ?? undefined) : undefined
        }
      })
    })
  })
)

// --- internal ---

const PrunedRow = Schema.Struct({
  looked: Codec.integer,
  runs: Codec.integer,
  steps: Codec.integer,
  last: Schema.NullOr(Schema.String)
})

/**
 * One batch of old runs. Index `run_latest` gives the oldest, index `step_latest` the assets, by skipping from one to the
 * next, and the latest step of each; steps go with their runs by the foreign key.
 */
const prune = (
  { runTable, stepTable }: { readonly runTable: Sql; readonly stepTable: Sql },
  batch: Retention.Batch & { readonly keep: ReadonlyArray<string> }
): Sql => {
  const [after, runId] = batch.after?.split(/ (.*)/s) ?? []
  return sql`WITH RECURSIVE named AS (
      (SELECT asset FROM ${stepTable} ORDER BY asset LIMIT 1)
      UNION ALL
      SELECT (SELECT s.asset FROM ${stepTable} AS s WHERE s.asset > n.asset ORDER BY s.asset LIMIT 1)
      FROM named AS n WHERE n.asset IS NOT NULL
    ), kept AS (
      SELECT latest.run_id FROM named AS n CROSS JOIN LATERAL (
        SELECT s.run_id FROM ${stepTable} AS s WHERE s.asset = n.asset
        ORDER BY s.started_at DESC, s.run_id DESC, s.step_index DESC LIMIT 1
      ) AS latest
      UNION ALL SELECT * FROM unnest(${batch.keep}::text[]) AS referred(run_id)
    ), looked AS (
      SELECT run_id, started_at, status <> 'running' AND finished_at < ${instant(batch.before)}
        AND NOT EXISTS (SELECT FROM kept AS k WHERE k.run_id = r.run_id) AS is_old
      FROM ${runTable} AS r
      WHERE started_at < ${instant(batch.before)}
        AND ${after === undefined ? literal("TRUE") : sql`(started_at, run_id) > (${after}::timestamptz, ${runId ?? ""})`}
      ORDER BY started_at, run_id LIMIT ${batch.limit}
    ), steps AS (
      SELECT count(*) AS count FROM ${stepTable} AS s JOIN looked AS l ON l.run_id = s.run_id WHERE l.is_old
    ), gone AS (
      DELETE FROM ${runTable} AS r USING looked AS l
      WHERE l.is_old AND r.run_id = l.run_id AND ${literal(batch.isCounted ? "FALSE" : "TRUE")}
    )
    SELECT count(*) AS looked, count(*) FILTER (WHERE is_old) AS runs, (SELECT count FROM steps) AS steps,
      (SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || run_id
        FROM looked ORDER BY started_at DESC, run_id DESC LIMIT 1) AS last
    FROM looked`
}

const RunRow = Schema.Struct({
  ...Run.RunRecord.fields,
  partitions: Codec.undefinedOr(Schema.String),
  startedAt: Codec.instant,
  heartbeatAt: Codec.instant,
  finishedAt: Codec.undefinedOr(Codec.instant),
  error: Codec.undefinedOr(Schema.String)
})

const runColumns = literal(`run_id AS "runId", status, assets, partitions, requested_by AS "requestedBy", why,
  started_at AS "startedAt", heartbeat_at AS "heartbeatAt", finished_at AS "finishedAt", error`)

const StepRow = Schema.Struct({
  ...Run.StepRecord.fields,
  units: Codec.integer,
  rowsRead: Codec.integer,
  rowsInserted: Codec.integer,
  rowsUpdated: Codec.integer,
  rowsDeleted: Codec.integer,
  rowsUnchanged: Codec.integer,
  rowsQuarantined: Codec.integer,
  error: Codec.undefinedOr(Schema.String),
  reason: Codec.undefinedOr(Schema.String),
  startedAt: Codec.instant,
  finishedAt: Codec.undefinedOr(Codec.instant)
})

const stepColumns = literal(`run_id AS "runId", step_index AS "index", asset, status, kind, attempts, units,
  rows_read AS "rowsRead", rows_inserted AS "rowsInserted", rows_updated AS "rowsUpdated", rows_deleted AS "rowsDeleted",
  rows_unchanged AS "rowsUnchanged", rows_quarantined AS "rowsQuarantined", duration_ms AS "durationMs", error, reason,
  why, code_version AS "codeVersion", started_at AS "startedAt", finished_at AS "finishedAt"`)

const Counts = Schema.Record(Schema.String, Schema.Int)

const noSteps: Run.RunSummary["steps"] = { running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 }

const instant = (time: DateTime.Utc | undefined): Sql =>
  sql`${time === undefined ? null : DateTime.formatIso(time)}::timestamptz`

/** Holds of the rows whose state the event moves. */
const movedBy = (event: Run.RunEvent): Sql =>
  literal(
    `status IN (${Run.movedBy(event)
      .map((status) => `'${status}'`)
      .join(", ")})`
  )

const isDead = (olderThan: DateTime.Utc): Sql => sql`${movedBy("cancel")} AND heartbeat_at < ${instant(olderThan)}`

const insertRun = (table: Sql, run: Run.RunRecord): Sql =>
  sql`INSERT INTO ${table} (run_id, status, assets, partitions, requested_by, why, started_at, heartbeat_at, finished_at,
      error)
    VALUES (${run.runId}, ${run.status}, ${run.assets}::text[], ${run.partitions ?? null}, ${run.requestedBy},
      ${run.why}, ${instant(run.startedAt)}, ${instant(run.heartbeatAt)}, ${instant(run.finishedAt)}, ${run.error ?? null})
    ON CONFLICT (run_id) DO NOTHING RETURNING TRUE`

const upsertStep = (table: Sql, step: Run.StepRecord): Sql =>
  sql`INSERT INTO ${table} (run_id, step_index, asset, status, kind, attempts, units, rows_read, rows_inserted,
      rows_updated, rows_deleted, rows_unchanged, rows_quarantined, duration_ms, error, reason, why, code_version,
      started_at, finished_at)
    VALUES (${step.runId}, ${step.index}, ${step.asset}, ${step.status}, ${step.kind}, ${step.attempts}, ${step.units},
      ${step.rowsRead}, ${step.rowsInserted}, ${step.rowsUpdated}, ${step.rowsDeleted}, ${step.rowsUnchanged},
      ${step.rowsQuarantined}, ${step.durationMs}::double precision, ${step.error ?? null}, ${step.reason ?? null},
      ${step.why}, ${step.codeVersion}, ${instant(step.startedAt)}, ${instant(step.finishedAt)})
    ON CONFLICT (run_id, step_index) DO UPDATE SET asset = excluded.asset, status = excluded.status,
      kind = excluded.kind, attempts = excluded.attempts, units = excluded.units, rows_read = excluded.rows_read,
      rows_inserted = excluded.rows_inserted, rows_updated = excluded.rows_updated,
      rows_deleted = excluded.rows_deleted, rows_unchanged = excluded.rows_unchanged,
      rows_quarantined = excluded.rows_quarantined, duration_ms = excluded.duration_ms, error = excluded.error,
      reason = excluded.reason, why = excluded.why, code_version = excluded.code_version,
      started_at = excluded.started_at, finished_at = excluded.finished_at
    RETURNING TRUE`
