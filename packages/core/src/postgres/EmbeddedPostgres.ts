/**
 * Which database does one get who has none? A native PostgreSQL that comes with the library, keeps its data in
 * `<home>/postgres` and listens on a unix socket only. Processes share it: the first starts it, the last stops it.
 *
 * Why that cannot go wrong. Starting, joining and leaving happen one at a time, under a lock that the kernel takes back
 * from a dead holder (`ProcessLock`). Who uses the server is known from sockets that the kernel closes with their process
 * (`Occupancy`); a leaver withdraws its own before it counts, so the last of several sees zero, and a joiner is counted
 * before it lets go of the lock, so no leaver overlooks it. A leaver names the server it stops in a file before it sends
 * the signal (`Postmaster.stop`); should it die in between, the next process finishes the stop instead of joining a
 * server about to go. The data directory appears by a rename (`DataDirectory`), and what a killed server leaves behind is
 * recognized by asking for its process, not by its record (`Postmaster.isAlive`). After a SIGKILL of all users the server
 * runs on, for the next process to join and, when it leaves, to stop.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { SqlError } from "effect/sql/SqlError"
import * as Os from "node:os"
import * as DataDirectory from "./DataDirectory.ts"
import { EmbeddedPostgresError, type Reason, StartRefused, TimedOut } from "./EmbeddedPostgresError.ts"
import * as Occupancy from "./Occupancy.ts"
import * as PostgresBinaries from "./PostgresBinaries.ts"
import * as Postmaster from "./Postmaster.ts"
import * as ProcessLock from "./ProcessLock.ts"
import * as ServerHome from "./ServerHome.ts"
import * as SqlState from "./SqlState.ts"
import type * as UnixListener from "./UnixListener.ts"

/**
 * The place of a running embedded server.
 *
 * @category services
 * @since 0.1.0
 */
export class EmbeddedPostgres extends Context.Service<
  EmbeddedPostgres,
  {
    /** The directory of the unix socket: the host, as libpq and `psql -h` take it. */
    readonly socketDirectory: string
    /** Names the socket's file only; nothing listens on the network. */
    readonly port: number
    /** A superuser; the socket's directory is the protection, there is no password. */
    readonly username: string
    readonly database: string
    readonly dataDirectory: string
    readonly log: string
  }
>()("@assay/core/postgres/EmbeddedPostgres") {}

/**
 * How to run the embedded server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The directory whose `postgres` subdirectory holds data, log and sockets. Made when it does not exist. */
  readonly home: string
  /** `none` lets a crash lose commits, a machine's crash all of them; the one who starts the server decides. Default `full`. */
  readonly durability?: DataDirectory.Durability | undefined
  /** How long to wait for others who start or stop the server, and for its recovery after a crash. Default 2 minutes. */
  readonly startTimeout?: Duration.Input | undefined
  /** As root only: where data and binaries go when the server's account cannot enter them. Default `/var/lib/assay`. */
  readonly stateDirectory?: string | undefined
}

/**
 * Joins the server of a home, starting it when it does not run; when the scope closes, stops it unless others use it.
 *
 * **Gotchas**
 *
 * Users are the callers of `make` on one machine. Other clients, like `psql`, do not keep the server running.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: (
  options: Options
) => Effect.Effect<EmbeddedPostgres["Service"], EmbeddedPostgresError, Scope.Scope> = Effect.fn(
  "EmbeddedPostgres.make"
)(
  function* (options: Options) {
    const wait = Duration.fromInputUnsafe(options.startTimeout ?? "2 minutes")
    const binaries = yield* PostgresBinaries.locate(Os.platform(), Os.arch())
    const home = yield* ServerHome.make(options.home, options.stateDirectory ?? "/var/lib/assay")
    return yield* join({ home, binaries, durability: options.durability ?? "full", wait }).pipe(
      ProcessLock.withLock({ file: home.lock, wait })
    )
  },
  (effect, options) =>
    effect.pipe(
      Effect.mapError((reason) => new EmbeddedPostgresError({ home: options.home, reason })),
      Effect.provide(NodeFileSystem.layer),
      // What is waited for here are processes, which no test's clock moves.
      Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())
    )
)

/**
 * The embedded server of a home, for as long as the layer lives.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<EmbeddedPostgres, EmbeddedPostgresError> =>
  Layer.effect(EmbeddedPostgres, make(options))

// --- internal ---

const database = "assay"

interface Visit {
  readonly home: ServerHome.ServerHome
  readonly binaries: PostgresBinaries.PostgresBinaries
  readonly durability: DataDirectory.Durability
  readonly wait: Duration.Duration
}

const join = Effect.fnUntraced(function* (visit: Visit) {
  const { home } = visit
  const sockets = yield* ServerHome.sockets(home, yield* lastSocketDirectory(home))
  yield* Effect.acquireRelease(Occupancy.enter(sockets.users), (entry) => leave(visit, sockets, entry))
  yield* settle(visit, sockets).pipe(
    Effect.repeat({ until: identity<boolean> }),
    Effect.timeoutOrElse({ duration: visit.wait, orElse: () => overdue(visit) })
  )
  return EmbeddedPostgres.of({
    socketDirectory: sockets.server,
    port: ServerHome.port,
    username: DataDirectory.username,
    database,
    dataDirectory: home.data,
    log: home.log
  })
})

const lastSocketDirectory = (home: ServerHome.ServerHome) =>
  Effect.map(Postmaster.recorded(home), (server) =>
    server.pipe(
      // A server that is just being born has not recorded it yet.
      Option.filter(({ data, socketDirectory }) => data === home.data && socketDirectory !== ""),
      Option.map(({ socketDirectory }) => socketDirectory)
    )
  )

/** One look at the server and one thing done about it; true once it is ready. */
const settle = Effect.fnUntraced(function* (visit: Visit, sockets: ServerHome.Sockets) {
  const state = yield* look(visit.home)
  if (state === "ready") return true
  if (state === "busy") {
    yield* Effect.sleep("5 millis")
    return false
  }
  const { account, copies } = visit.home
  const binaries = yield* PostgresBinaries.prepare(visit.binaries, { account, copies })
  yield* DataDirectory.ensure(visit.home, binaries, visit.durability)
  const isStarted = yield* Postmaster.start(visit.home, { sockets, binaries, durability: visit.durability })
  if (!isStarted) yield* Effect.sleep("20 millis")
  return false
})

type State = "ready" | "busy" | "absent"

const look = Effect.fnUntraced(function* (
  home: ServerHome.ServerHome
): Effect.fn.Return<State, Reason, FileSystem.FileSystem> {
  const recorded = yield* Postmaster.recorded(home)
  if (Option.isNone(recorded)) return "absent"
  const server = recorded.value
  if (yield* Postmaster.isCondemned(home, server)) {
    yield* Postmaster.stop(home, server)
    return "absent"
  }
  const answer = server.data === home.data && server.isReady ? yield* ask(server, database) : "absent"
  if (answer !== "absent") return answer
  return (yield* Postmaster.isAlive(home, server)) ? "busy" : "absent"
})

/** Asks by a real connection: about 4 ms, and the one answer that a stale record cannot fake. */
const ask = (server: Postmaster.Postmaster, name: string): Effect.Effect<State, Reason> =>
  connect(server, name).pipe(
    Effect.as<State>("ready"),
    Effect.scoped,
    Effect.catch((error) => judge(server, error))
  )

const judge = (server: Postmaster.Postmaster, error: SqlError): Effect.Effect<State, Reason> => {
  const { code, message } = SqlState.serverError(error)
  switch (code) {
    case "ECONNREFUSED":
    case "ENOENT":
      return Effect.succeed("absent")
    // Starting up, recovering or shutting down; or gone before it answered.
    case "57P03":
    case "ECONNRESET":
    case "EPIPE":
    case undefined:
      return Effect.succeed("busy")
    // Full, hence running.
    case "53300":
      return Effect.succeed("ready")
    case "3D000":
      return createDatabase(server)
    default:
      return Effect.fail(
        new StartRefused({ message: `the server in ${server.socketDirectory} refuses the connection: ${message}` })
      )
  }
}

/** Here and not with the data directory: whenever the first starter dies, the next one finds it missing and makes it. */
const createDatabase = (server: Postmaster.Postmaster): Effect.Effect<State, Reason> =>
  connect(server, "postgres").pipe(
    Effect.flatMap((connection) => connection.query(`CREATE DATABASE ${database}`)),
    Effect.as<State>("ready"),
    Effect.scoped,
    Effect.mapError(
      (error) =>
        new StartRefused({
          message: `the database "${database}" could not be created: ${SqlState.serverError(error).message}`
        })
    )
  )

const connect = (server: Postmaster.Postmaster, name: string) =>
  PgConnection.make({
    host: server.socketDirectory,
    port: ServerHome.port,
    username: DataDirectory.username,
    database: name,
    applicationName: "assay"
  })

const leave = (visit: Visit, sockets: ServerHome.Sockets, entry: UnixListener.UnixListener) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const isCounted = yield* Effect.orElseSucceed(fs.exists(entry.address), () => false)
    yield* entry.close
    if (!isCounted) {
      yield* Effect.logWarning(`${sockets.users} was emptied, so others may still use the embedded server; it runs on`)
      return
    }
    if ((yield* Occupancy.count(sockets.users)) > 0) return
    const server = yield* Postmaster.recorded(visit.home)
    if (Option.isSome(server)) yield* Postmaster.stop(visit.home, server.value)
  }).pipe(
    Effect.timeoutOrElse({ duration: visit.wait, orElse: () => overdue(visit) }),
    ProcessLock.withLock({ file: visit.home.lock, wait: visit.wait }),
    Effect.catch((reason) => Effect.logWarning(`the embedded server may run on: ${reason.message}`)),
    Effect.ensuring(entry.close)
  )

const overdue = ({ home, wait }: Visit): Effect.Effect<never, Reason, FileSystem.FileSystem> =>
  Effect.flatMap(Postmaster.recorded(home), (server) =>
    Effect.fail(
      new TimedOut({
        message:
          `the server${Option.isSome(server) ? ` (process ${server.value.pid})` : ""} did not answer within ` +
          `${Duration.format(wait)}. After a crash it may still be recovering: see ${home.log}, and try again or wait ` +
          `longer (startTimeout).`
      })
    )
  )
