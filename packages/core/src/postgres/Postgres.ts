/**
 * PostgreSQL as the rooms above use it: queries as `Sql`, rows decoded by a Schema at the seam, errors as reasons, and
 * the two database schemas that an environment consists of. Transactions are READ COMMITTED: every statement of a step
 * sees what was committed before it, and marks that arrive meanwhile are found by comparing versions (ADR 0003).
 */
import { PgClient } from "@effect/sql-pg"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { BeginTransaction } from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { DefinitionFault, type Reason } from "../MaterializationError.ts"
import { compile, list, literal, sql, type Sql, type Value } from "../Sql.ts"
import { type Lock, Transactor } from "../Transactor.ts"
import * as SqlState from "./SqlState.ts"
import * as Transaction from "./Transaction.ts"

/**
 * The database schemas of one environment: `warehouse` holds the assets' tables, `ledger` the engine's own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schemas {
  readonly warehouse: string
  readonly ledger: string
}

/**
 * Queries on PostgreSQL, within the caller's transaction when there is one.
 *
 * @category services
 * @since 0.1.0
 */
export class Postgres extends Context.Service<
  Postgres,
  {
    readonly schemas: Schemas
    /** Runs a query and decodes its rows. */
    readonly query: <A>(statement: Sql, row: Schema.ConstraintDecoder<A>) => Effect.Effect<ReadonlyArray<A>, Reason>
    /** The same for a statement of the ledger that does not concern what was put off, which stays so. */
    readonly ahead: <A>(statement: Sql, row: Schema.ConstraintDecoder<A>) => Effect.Effect<ReadonlyArray<A>, Reason>
    /** Runs a statement for its effect and yields the number of rows it touched. */
    readonly execute: (statement: Sql) => Effect.Effect<number, Reason>
    /**
     * Writes that nobody waits for. In a transaction they are sent together, in their order: before the next statement, or
     * before the commit. What fails of them fails there.
     */
    readonly later: (write: Transaction.Write) => Effect.Effect<void, Reason>
    /** What the caller's transaction remembers; undefined outside of one that the engine has begun. */
    readonly transaction: Effect.Effect<Transaction.Transaction | undefined>
    /** Rows of text columns, streamed outside of a transaction; the connection is taken for as long as the stream runs. */
    readonly stream: (statement: Sql) => Stream.Stream<ReadonlyArray<string | null>, Reason>
    /** Rows of text columns within a transaction, through a cursor: other statements may run in between. */
    readonly cursor: (
      statement: Sql,
      options: { readonly fetch: number }
    ) => Stream.Stream<ReadonlyArray<string | null>, Reason>
    /** What is notified on a channel from now on, in the order of the commits; fails when the connection is lost. */
    readonly listen: (channel: string) => Effect.Effect<Stream.Stream<string, Reason>, Reason, Scope.Scope>
    /** Holds an advisory lock on a connection of its own until the scope closes or the connection ends. */
    readonly hold: (key: string) => Effect.Effect<void, Reason, Scope.Scope>
  }
>()("@assay/core/postgres/Postgres") {}

/**
 * The services of this room over a host's `PgClient`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (schemas: Schemas): Layer.Layer<Postgres | Transactor, never, PgClient.PgClient> =>
  Layer.effectContext(
    Effect.map(PgClient.PgClient, (host) => {
      const client = host.withoutTransforms()
      const role = roleOf(host)
      const reason = (error: SqlError) => SqlState.reason(error, role)
      const { postgres, sending } = queriesOn(client, schemas, reason)
      return Context.make(Postgres, postgres).pipe(
        Context.add(Transactor, transactionsOn(client, { ...postgres, ...sending }, reason))
      )
    })
  )

// --- internal ---

/** As whom the client connects, as far as its configuration says. */
const roleOf = ({ config: { url, username } }: PgClient.PgClient): string | undefined =>
  username ?? (url === undefined ? undefined : decoded(URL.parse(Redacted.value(url))?.username))

const decoded = (text: string | undefined): string | undefined =>
  text === undefined || text === ""
    ? undefined
    : (new URLSearchParams(`text=${text.replaceAll("+", "%2B").replaceAll("&", "%26")}`).get("text") ?? text)

const queriesOn = (
  client: PgClient.PgClient,
  schemas: Schemas,
  reason: (error: SqlError) => Reason
): { readonly postgres: typeof Postgres.Service; readonly sending: Sending } => {
  const raw = (statement: Sql) => {
    const { text, values } = compile(statement)
    return client.unsafe(text, values.map(bind))
  }
  const run = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, Reason> => Effect.mapError(effect, reason)

  const transaction = Effect.map(Effect.serviceOption(client.transactionService), (level) =>
    level._tag === "Some" ? transactions.get(level.value) : undefined
  )

  const written = Effect.flatMap(transaction, (current) => {
    const statement = Transaction.statement(current?.pending.splice(0) ?? [])
    return statement === undefined ? Effect.void : Effect.asVoid(run(raw(statement).raw))
  })

  const set = Effect.flatMap(transaction, (current) => {
    if (current === undefined || current.isSet) return Effect.void
    current.isSet = true
    return Effect.asVoid(run(raw(sql`SELECT ${settings}`).raw))
  })

  // Whatever is asked sees what was to be written before it.
  const ready = Effect.andThen(set, written)

  const later = (write: Transaction.Write) =>
    Effect.flatMap(transaction, (current) => {
      if (current === undefined) {
        const statement = Transaction.statement([write])
        return statement === undefined ? Effect.void : Effect.asVoid(run(raw(statement).raw))
      }
      const isNext = write.name !== undefined && current.pending.some(({ name }) => name === write.name)
      return Effect.andThen(
        isNext ? written : Effect.void,
        Effect.sync(() => void current.pending.push(write))
      )
    })

  const ahead = <A>(statement: Sql, row: Schema.ConstraintDecoder<A>): Effect.Effect<ReadonlyArray<A>, Reason> =>
    Effect.flatMap(run(raw(statement)), (rows) =>
      Effect.mapError(
        Schema.decodeUnknownEffect(Schema.Array(row))(rows),
        (error) =>
          new DefinitionFault({ message: `a row is not of the expected shape: ${error.message}`, code: undefined })
      )
    )

  const query = <A>(statement: Sql, row: Schema.ConstraintDecoder<A>): Effect.Effect<ReadonlyArray<A>, Reason> =>
    Effect.andThen(ready, ahead(statement, row))

  const execute = (statement: Sql): Effect.Effect<number, Reason> =>
    Effect.map(Effect.andThen(ready, run(raw(statement).raw)), (result) =>
      Option.match(decodeRowCount(result), { onNone: () => 0, onSome: ({ rowCount }) => rowCount })
    )

  const stream = (statement: Sql) =>
    raw(statement).stream.pipe(
      Stream.mapError(reason),
      Stream.map((row) => Object.values(row).map((cell) => (typeof cell === "string" ? cell : null)))
    )

  const cursor = (statement: Sql, options: { readonly fetch: number }) =>
    Stream.unwrap(
      Effect.gen(function* () {
        cursors += 1
        const name = literal(`assay_cursor_${cursors}`)
        yield* execute(sql`DECLARE ${name} NO SCROLL CURSOR FOR ${statement}`)
        const fetch = Effect.andThen(
          ready,
          run(raw(sql`FETCH ${literal(String(options.fetch))} FROM ${name}`).values)
        ).pipe(
          Effect.flatMap((rows) =>
            Effect.mapError(
              decodeTexts(rows),
              (error) => new DefinitionFault({ message: error.message, code: undefined })
            )
          )
        )
        return Stream.paginate(undefined, () =>
          Effect.map(
            fetch,
            (rows) => [rows, rows.length < options.fetch ? Option.none<undefined>() : Option.some(undefined)] as const
          )
        )
      })
    )

  const listen = (channel: string) =>
    Effect.mapBoth(client.listen(channel), {
      onFailure: reason,
      onSuccess: (queue) =>
        Stream.fromQueue(queue).pipe(
          Stream.map(({ payload }) => payload),
          Stream.mapError(reason)
        )
    })

  const hold = Effect.fnUntraced(function* (key: string) {
    const connection = yield* Effect.mapError(client.reserve, reason)
    const lock = (name: string) => run(connection.executeRaw(`SELECT ${name}(hashtextextended($1, 0))`, [key]))
    yield* Effect.acquireRelease(lock("pg_advisory_lock"), () => Effect.ignore(lock("pg_advisory_unlock")))
  })

  return {
    postgres: Postgres.of({ schemas, query, ahead, execute, later, transaction, stream, cursor, listen, hold }),
    sending: { ready, written }
  }
}

/** Sends what a transaction has put off: all of it, or only what it writes. */
interface Sending {
  readonly ready: Effect.Effect<void, Reason>
  readonly written: Effect.Effect<void, Reason>
}

const transactionsOn = (
  client: PgClient.PgClient,
  { execute, later, query, ready, schemas, transaction, written }: typeof Postgres.Service & Sending,
  reason: (error: SqlError) => Reason
): typeof Transactor.Service => {
  const inTransaction = Effect.map(Effect.serviceOption(client.transactionService), (option) => option._tag === "Some")

  // A step sees what others committed before each of its statements. In a host's transaction that keeps one snapshot it
  // would miss them, and with them what has to be marked (ADR 0003).
  const joined = (isolation: string) =>
    isolation !== "READ COMMITTED"
      ? Effect.void
      : Effect.flatMap(query(sql`SELECT current_setting('transaction_isolation') AS level`, IsolationLevel), ([row]) =>
          row?.level === "read committed"
            ? Effect.void
            : Effect.fail(
                new DefinitionFault({
                  message: `the transaction around it is ${row?.level ?? "unknown"}; materialize in READ COMMITTED, or outside of a transaction`,
                  code: undefined
                })
              )
        )

  // The settings are made with the locks, or else before the first statement; but a transaction that keeps one snapshot
  // begins with them, and so takes it then.
  const begin = (isNested: boolean, around: Transaction.Transaction | undefined, isolation: string) =>
    Effect.flatMap(Effect.serviceOption(client.transactionService), (level) => {
      if (level._tag === "None") return Effect.void
      transactions.set(level.value, Transaction.make({ isSet: isNested && isolation !== "READ COMMITTED", around }))
      return isNested ? joined(isolation) : isolation === "READ COMMITTED" ? Effect.void : ready
    })

  // What fills temporary tables within a savepoint may still be asked for behind it.
  const end = (around: Transaction.Transaction | undefined) =>
    Effect.flatMap(transaction, (current) => {
      if (around !== undefined && current !== undefined) Transaction.join(around, current)
      const filled = around === undefined ? (current?.filled ?? []) : []
      const empty = ([name, table]: readonly [string, Sql]) =>
        later({ name, parts: [sql`DELETE FROM ${table} RETURNING TRUE`] })
      return Effect.andThen(Effect.forEach(filled, empty, { discard: true }), written)
    })

  const within =
    (isolation: string) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Reason, R> =>
      Effect.flatMap(Effect.all([inTransaction, transaction]), ([isNested, around]) => {
        let inside: { readonly _tag: "Inside"; readonly error: E | Reason } | undefined
        const whole = Effect.tap(Effect.andThen(begin(isNested, around, isolation), effect), end(around))
        return client.withTransaction(Effect.mapError(whole, (error) => (inside = { _tag: "Inside", error }))).pipe(
          Effect.provideService(BeginTransaction, `BEGIN ISOLATION LEVEL ${isolation} READ WRITE`),
          Effect.mapError((error) => (error._tag === "Inside" ? error.error : reason(error))),
          // A rollback on a lost connection is a defect to the driver, and so is then the error for which it was to roll
          // back; the transaction is gone all the same.
          Effect.catchDefect((defect) =>
            inside !== undefined && defect === inside
              ? Effect.fail(inside.error)
              : isSqlError(defect)
                ? Effect.fail(reason(defect))
                : Effect.die(defect)
          ),
          // What the transaction around it has put off comes before its savepoint.
          (nested) => (around === undefined ? nested : Effect.andThen(written, nested))
        )
      })

  const undone =
    (isolation: string) =>
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Reason, R> =>
      within(isolation)(
        Effect.flatMap(Effect.exit(Effect.tap(effect, written)), (exit) =>
          Effect.fail({ _tag: "Undone", exit } as const)
        )
      ).pipe(
        Effect.catch((error): Effect.Effect<A, E | Reason> =>
          error._tag === "Undone" ? error.exit : Effect.fail(error)
        )
      )

  const lock = (locks: ReadonlyArray<Lock>): Effect.Effect<void, Reason> =>
    locks.length === 0
      ? Effect.void
      : Effect.flatMap(transaction, (current) => {
          const isSet = current?.isSet ?? true
          if (current !== undefined) current.isSet = true
          const held = locks.map(
            ({ asset, mode }) =>
              sql`${literal(mode === "exclusive" ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared")}(hashtextextended(${JSON.stringify(
                [schemas.ledger, asset]
              )}, 0))`
          )
          return Effect.asVoid(execute(sql`SELECT ${list([...(isSet ? [] : [settings]), ...held])}`))
        })

  return Transactor.of({
    transact: within("READ COMMITTED"),
    rehearse: undone("READ COMMITTED"),
    snapshot: undone("REPEATABLE READ"),
    lock
  })
}

// Of a savepoint too, by the driver's own name for it.
const transactions = new WeakMap<object, Transaction.Transaction>()

const settings = literal(`set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),
  set_config('IntervalStyle', 'postgres', true), set_config('extra_float_digits', '1', true),
  set_config('bytea_output', 'hex', true), set_config('search_path', 'public', true), set_config('jit', 'off', true)`)

// The driver keeps the columns of a statement by its text, so `FETCH … FROM` one name must always mean the same columns:
// a name is never used twice, also where several services share a pool.
let cursors = 0

const IsolationLevel = Schema.Struct({ level: Schema.String })

const decodeRowCount = Schema.decodeUnknownOption(Schema.Struct({ rowCount: Schema.Number }))

const decodeTexts = Schema.decodeUnknownEffect(Schema.Array(Schema.Array(Schema.NullOr(Schema.String))))

/** Lists travel as array literals, whose element type the statement's own cast gives. */
const bind = (value: Value): string | number | bigint | boolean | null =>
  typeof value === "object" && value !== null ? arrayLiteral(value) : value

const arrayLiteral = (values: ReadonlyArray<string | null>): string =>
  `{${values.map((value) => (value === null ? "NULL" : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`)).join(",")}}`
