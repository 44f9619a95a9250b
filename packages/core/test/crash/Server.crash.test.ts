import * as SqlState from "@assay/core/postgres/SqlState"
import { PgClient } from "@effect/sql-pg"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import {
  assertExact,
  assertSound,
  completed,
  corrected,
  layerOwn,
  materialized,
  nameHere,
  type Place,
  Stage,
  start,
  waitUntil
} from "./harness.ts"
import { OwnServer } from "./OwnServer.ts"

interface Trouble {
  readonly name: string
  readonly needsSmallDisk?: true
  /** What a person is told of each attempt that fails. */
  readonly says: ReadonlyArray<RegExp>
  /** What the connections of the run ask of the server. */
  readonly settings?: string
  readonly point: "afterPick" | "afterWrite" | "beforeCommit"
  /** Comes over the server when the first step of silver_sales passes the point. */
  readonly come: (till: Place) => Effect.Effect<void, unknown, OwnServer | PgClient.PgClient | Stage | Scope.Scope>
  /** Takes it away again, where it does not go by itself, when an attempt has failed of it. */
  readonly go?: Effect.Effect<void, unknown, OwnServer>
}

/** A session of somebody else, whose transaction ends with the scope. */
const somebody = Effect.fnUntraced(function* (...statements: ReadonlyArray<string>) {
  const { url } = yield* Stage
  const connection = yield* PgConnection.make({ url: Redacted.make(url) })
  yield* connection.query("BEGIN")
  for (const statement of statements) yield* connection.query(statement)
  return connection
})

/** The process of the server that has the transaction of a step open. */
const backend = Effect.fnUntraced(function* ({ environment }: Place) {
  const sql = yield* PgClient.PgClient
  const [open, ...others] = yield* sql<{ readonly pid: number }>`
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = ${nameHere(environment)} AND state = 'idle in transaction'`
  assert.deepStrictEqual(others, [])
  return open?.pid ?? 0
})

const lost = /connection .*lost/
const server = <A>(use: (server: OwnServer["Service"]) => Effect.Effect<A>) => Effect.flatMap(OwnServer, use)

const locked = (till: Place) => Effect.asVoid(somebody(`LOCK TABLE ${till.environment}_assay.outbox`))

/** Lets the server raise an error in the next statement that counts a step, and in no further one. */
const raised = (code: string) => (till: Place) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const ledger = `${till.environment}_assay`
    for (const statement of [
      `CREATE SEQUENCE ${ledger}.raised`,
      `CREATE FUNCTION ${ledger}.raise_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('${ledger}.raised') = 1 THEN RAISE EXCEPTION 'of the server' USING ERRCODE = '${code}'; END IF;
        RETURN NEW; END $$`,
      `CREATE TRIGGER raise_once BEFORE INSERT ON ${ledger}.outbox FOR EACH ROW EXECUTE FUNCTION ${ledger}.raise_once()`
    ]) {
      yield* sql.unsafe(statement)
    }
  })

/** Fills the small disk of the server, on which the connections of the run keep their temporary tables. */
const filled = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  yield* sql`CREATE TABLE ballast (content text) TABLESPACE small`
  yield* sql`ALTER TABLE ballast ALTER content SET STORAGE PLAIN`
  yield* Effect.addFinalizer(() => Effect.orDie(sql`DROP TABLE ballast`))
  // Many rows ask for many pages at a time, and leave a few that single ones take.
  const fill = (rows: number) =>
    Effect.flip(Effect.forever(sql`INSERT INTO ballast SELECT repeat('.', 8000) FROM generate_series(1, ${rows}::int)`))
  const filling = yield* Effect.andThen(fill(200), fill(1))
  assert.include(SqlState.serverError(filling).message, "No space left on device")
})

const onSmallDisk = "-c temp_tablespaces=small"

const troubles: ReadonlyArray<Trouble> = [
  ...(["fast", "immediate"] as const).map((mode): Trouble => ({
    name: `a restart of the server (${mode})`,
    says: [lost],
    point: "beforeCommit",
    come: () => server(({ start, stop }) => Effect.andThen(stop(mode), start))
  })),
  {
    name: "a server that is gone and comes back",
    says: [lost, /nobody listens/],
    point: "beforeCommit",
    come: () => server(({ stop }) => stop("fast")),
    go: server(({ start }) => start)
  },
  {
    name: "too many connections (53300)",
    says: [lost, /too many clients/],
    point: "beforeCommit",
    come: Effect.fnUntraced(function* (till) {
      const { url } = yield* Stage
      const sql = yield* PgClient.PgClient
      const guest = PgConnection.make({ url: Redacted.make(url) })
      // A pool that loses a connection opens another one at once. So it is done until the guests have all of them.
      const squeeze = Effect.gen(function* () {
        const ended = yield* sql`SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = ${nameHere(till.environment)}`
        yield* Effect.ignore(Effect.forever(guest))
        return ended.length
      })
      yield* Effect.repeat(squeeze, { until: (ended) => ended === 0 })
    })
  },
  {
    name: "a statement timeout (57014)",
    says: [/statement timeout/],
    settings: "-c statement_timeout=200ms",
    point: "afterWrite",
    come: locked
  },
  {
    name: "a lock timeout (55P03)",
    says: [/lock timeout/],
    settings: "-c lock_timeout=200ms",
    point: "afterWrite",
    come: locked
  },
  {
    name: "a deadlock (40P01)",
    says: [/deadlock detected/],
    settings: "-c deadlock_timeout=50ms",
    point: "afterWrite",
    come: Effect.fnUntraced(function* (till) {
      const sql = yield* PgClient.PgClient
      const other = yield* somebody("SET deadlock_timeout = '1h'", `LOCK TABLE ${till.environment}_assay.outbox`)
      yield* Effect.forkScoped(
        Effect.andThen(other.query(`LOCK TABLE ${till.environment}.silver_sales`), other.query("ROLLBACK"))
      )
      const waiting = sql`SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted`
      yield* waitUntil(
        "the other session waits for the table",
        Effect.map(waiting, ({ length }) => length === 1)
      )
    })
  },
  {
    name: "a session that idles too long inside its transaction (25P03)",
    says: [/idle-in-transaction timeout/],
    settings: "-c idle_in_transaction_session_timeout=500ms",
    point: "beforeCommit",
    come: Effect.fnUntraced(function* (till) {
      yield* waitUntil(
        "the server has ended the session",
        Effect.map(backend(till), (pid) => pid === 0)
      )
    })
  },
  ...["40001", "53200", "53400", "58030"].map((code): Trouble => ({
    name: `an error that the server raises once (${code})`,
    says: [/of the server/],
    point: "afterWrite",
    come: raised(code)
  })),
  {
    name: "a full disk (53100)",
    needsSmallDisk: true,
    says: [/No space left on device/],
    settings: onSmallDisk,
    point: "afterPick",
    come: () => filled
  },
  {
    name: "a server without memory (53200)",
    says: [/out of memory/],
    point: "afterPick",
    come: Effect.fnUntraced(function* (till) {
      const { account } = yield* OwnServer
      const pid = yield* backend(till)
      const limit = (bytes: string) =>
        Effect.sync(() =>
          ChildProcess.execFileSync("prlimit", ["--pid", String(pid), `--as=${bytes}:`], {
            ...Option.getOrUndefined(account),
            cwd: "/"
          })
        )
      // Less than it has: the next piece of memory that it asks for is refused.
      yield* Effect.acquireRelease(limit("1"), () => limit("unlimited"))
    })
  }
]

/** Materializes with a trouble that comes at its point, and goes when that many attempts have failed of it. */
const troubled = Effect.fnUntraced(function* (
  till: Place,
  trouble: Omit<Trouble, "name">,
  options: { readonly after: number }
) {
  const { come, go = Effect.void, point, settings } = trouble
  const url = new URL((yield* Stage).url)
  if (settings !== undefined) url.searchParams.set("options", settings)
  const services = yield* Effect.context<OwnServer | PgClient.PgClient | Stage>()
  const scope = yield* Effect.acquireRelease(Scope.make(), (open) => Scope.close(open, Exit.void))
  let hasCome = false
  const told: Array<string> = []
  const exit = yield* Effect.exit(
    materialized(till, {
      url: Redacted.make(url.href),
      retries: 5,
      passing: (passed, asset) =>
        Effect.suspend(() => {
          if (hasCome || passed !== point || asset !== "silver_sales") return Effect.void
          hasCome = true
          return come(till).pipe(Scope.provide(scope), Effect.provideContext(services), Effect.orDie)
        }),
      told: (progress) =>
        Effect.suspend(() => {
          if (progress._tag !== "Retrying") return Effect.void
          told.push(progress.message)
          return told.length < options.after
            ? Effect.void
            : Effect.andThen(Scope.close(scope, Exit.void), go).pipe(Effect.provideContext(services), Effect.orDie)
        })
    })
  )
  assert.isTrue(hasCome)
  return { exit, told, end: Scope.close(scope, Exit.void) }
})

const stepsOf = Effect.fnUntraced(function* ({ assay }: Place, runId: string | undefined) {
  const found = yield* assay.run(runId ?? "")
  return found._tag === "Found" ? found : { run: undefined, steps: [] }
})

it.layer(layerOwn, { excludeTestServices: true, timeout: Duration.minutes(2) })((it) => {
  const lacksDisk = Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const { smallDisk } = yield* OwnServer
    if (smallDisk === undefined) {
      process.stderr.write("skipped: a full disk needs a file system that we may mount\n")
      return true
    }
    const found = yield* sql`SELECT FROM pg_tablespace WHERE spcname = 'small'`
    if (found.length === 0) yield* sql.unsafe(`CREATE TABLESPACE small LOCATION '${smallDisk}'`)
    return false
  })

  for (const { name, ...trouble } of troubles) {
    it.effect(`${name} is outlived by a step, and the record says how often it was tried (Verifies: L1, L3, L4)`, () =>
      Effect.gen(function* () {
        if (trouble.needsSmallDisk && (yield* lacksDisk)) return
        const till = yield* corrected
        const { says } = trouble
        const { exit, told } = yield* troubled(till, trouble, { after: says.length })
        const result = yield* exit
        assert.deepStrictEqual(
          result.outcomes.flatMap(({ error }) => error?.message ?? []),
          []
        )
        assert.strictEqual(told.length, says.length, told.join("\n"))
        says.forEach((pattern, index) => assert.match(told[index] ?? "", pattern))
        const { run, steps } = yield* stepsOf(till, result.runId)
        assert.deepInclude(run, { status: "succeeded", error: undefined })
        assert.deepStrictEqual(
          steps.filter(({ error, status }) => status !== "succeeded" || error !== undefined),
          []
        )
        assert.deepStrictEqual(
          steps.filter(({ attempts }) => attempts > 1).map(({ asset, attempts }) => [asset, attempts]),
          [["silver_sales", 1 + says.length]]
        )
        yield* assertExact(till)
      })
    )
  }

  const lasting: ReadonlyArray<Trouble> = [
    {
      name: "a table that stays locked",
      says: [/lock timeout/],
      settings: "-c lock_timeout=100ms",
      point: "afterPick",
      come: (till) => Effect.asVoid(somebody(`LOCK TABLE ${till.environment}.silver_sales IN SHARE MODE`))
    },
    {
      name: "a disk that stays full",
      needsSmallDisk: true,
      says: [/No space left on device/],
      settings: onSmallDisk,
      point: "afterPick",
      come: () => filled
    }
  ]

  for (const {
    name,
    says: [pattern = /$^/],
    ...trouble
  } of lasting) {
    it.effect(
      `${name} fails the step, and the record says so; later the same run is exact (Verifies: L1, L3, L4)`,
      () =>
        Effect.gen(function* () {
          if (trouble.needsSmallDisk && (yield* lacksDisk)) return
          const till = yield* corrected
          const { end, exit, told } = yield* troubled(
            till,
            { ...trouble, says: [] },
            { after: Number.POSITIVE_INFINITY }
          )
          const { runId, status } = yield* exit
          assert.strictEqual(status, "failed")
          const { run, steps } = yield* stepsOf(till, runId)
          assert.strictEqual(run?.status, "failed")
          assert.match(run?.error ?? "", pattern)
          const [landed, failed, ...others] = steps
          assert.deepInclude(landed, { asset: "bronze_sales", status: "succeeded", attempts: 1 })
          assert.deepInclude(failed, {
            asset: "silver_sales",
            status: "failed",
            attempts: told.length + 1,
            rowsInserted: 0
          })
          assert.match(failed?.error ?? "", pattern)
          assert.deepStrictEqual(new Set(others.map((step) => step.status)), new Set(["skipped"]))
          yield* assertSound(till)
          yield* end
          yield* completed(yield* start(till))
          yield* assertExact(till)
        })
    )
  }

  it.effect(
    "a server that stays away ends the run with a clear error, and nothing is lost (Verifies: L1, L3, L4)",
    () =>
      Effect.gen(function* () {
        const till = yield* corrected
        const gone: Omit<Trouble, "name"> = {
          says: [],
          point: "beforeCommit",
          come: () => server(({ stop }) => stop("immediate"))
        }
        const { exit, told } = yield* troubled(till, gone, { after: Number.POSITIVE_INFINITY })
        assert.match(told[0] ?? "", lost)
        assert.match(String(yield* Effect.flip(exit)), /nobody listens there/)
        yield* server(({ start }) => start)
        yield* assertSound(till)
        // Nobody could tell the server how the run ended: it counts as running until its heartbeat is old.
        assert.strictEqual((yield* till.assay.runs({ limit: 1 }))[0]?.run.status, "running")
        yield* completed(yield* start(till))
        yield* assertExact(till)
      })
  )
})
