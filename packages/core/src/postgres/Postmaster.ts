/**
 * What does the server of a home do, and how is it made to do something else? Reads PostgreSQL's own record of the
 * running server (`postmaster.pid`), starts a server and stops it. Callers hold the home's lock; the record alone is
 * never trusted, since a killed server leaves it behind and the system gives its process id to others.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as NodePath from "node:path"
import type { Durability } from "./DataDirectory.ts"
import { fromPlatformError, fromWords, type Reason } from "./EmbeddedPostgresError.ts"
import * as PostgresBinaries from "./PostgresBinaries.ts"
import { port, type ServerHome, type Sockets } from "./ServerHome.ts"
import * as ServerLog from "./ServerLog.ts"
import * as ServerProcess from "./ServerProcess.ts"

/**
 * A server as it recorded itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Postmaster {
  readonly pid: number
  readonly data: string
  readonly startedAt: string
  readonly socketDirectory: string
  readonly isReady: boolean
}

/**
 * The server that the home's data directory records, living or dead; in the copy of a home it is another directory's.
 *
 * @category getters
 * @since 0.1.0
 */
export const recorded = Effect.fnUntraced(function* (
  home: ServerHome
): Effect.fn.Return<Option.Option<Postmaster>, Reason, FileSystem.FileSystem> {
  const text = yield* FileSystem.FileSystem.use((fs) => fs.readFileString(record(home))).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "NotFound",
      () => Effect.succeed("")
    ),
    Effect.mapError(fromPlatformError(home.data))
  )
  const [pid = "", data = "", startedAt = "", , socketDirectory = "", , , status = ""] = text.split("\n")
  if (!(Number(pid) > 0)) return Option.none()
  return Option.some({ pid: Number(pid), data, startedAt, socketDirectory, isReady: status.trim() === "ready" })
})

/**
 * Whether the recorded process lives and is a server of this home.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAlive = (home: ServerHome, self: Postmaster): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.suspend(() => {
    if (Option.contains(ServerProcess.signal(self.pid, 0), "ESRCH")) return Effect.succeed(false)
    // A server works in its data directory. A zombie works nowhere, and where nobody reaps, it stays one.
    if (process.platform === "linux") {
      return FileSystem.FileSystem.use((fs) => fs.readLink(`/proc/${self.pid}/cwd`)).pipe(
        Effect.map((directory) => directory === home.data),
        Effect.catch((error) => Effect.succeed(error.reason._tag === "PermissionDenied"))
      )
    }
    const list = { program: "ps", arguments: ["-o", "args=", "-p", String(self.pid)], account: Option.none() }
    return ServerProcess.run(list).pipe(
      Effect.map(({ text }) => text.includes(home.data)),
      Effect.orElseSucceed(() => true)
    )
  })

/**
 * Whether somebody has already told this very server to stop.
 *
 * @category guards
 * @since 0.1.0
 */
export const isCondemned = (home: ServerHome, self: Postmaster): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => fs.readFileString(home.condemned)).pipe(
    Effect.map((text) => text === incarnation(self)),
    Effect.orElseSucceed(() => false)
  )

/**
 * Tells a server to stop and waits until it has: open transactions roll back, what was committed is on disk.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stop = Effect.fnUntraced(function* (
  home: ServerHome,
  self: Postmaster
): Effect.fn.Return<void, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  // Kept before the signal: whoever comes after our death in between must not join a server that is about to go.
  const aside = `${home.condemned}.new`
  yield* fs
    .remove(aside, { force: true })
    .pipe(
      Effect.andThen(fs.writeFileString(aside, incarnation(self), { flag: "wx", mode: 0o644 })),
      Effect.andThen(fs.rename(aside, home.condemned)),
      Effect.mapError(fromPlatformError(home.condemned))
    )
  if (!(yield* isAlive(home, self))) return
  yield* Effect.sync(() => ServerProcess.signal(self.pid, "SIGINT"))
  yield* isAlive(home, self).pipe(Effect.repeat({ while: (alive) => alive, schedule: glance }))
})

/**
 * Starts a server and waits until it is ready. Yields false when something of a killed server is still in the way, which
 * is worth another try.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (
  home: ServerHome,
  options: {
    readonly sockets: Sockets
    readonly binaries: PostgresBinaries.PostgresBinaries
    readonly durability: Durability
  }
): Effect.Effect<boolean, Reason, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    yield* clear(home, options.sockets)
    const log = yield* ServerLog.open(home)
    const server = yield* ServerProcess.start(
      {
        program: PostgresBinaries.program(options.binaries, "postgres"),
        arguments: ["-D", home.data, ...settings(options.sockets, options.durability)],
        account: home.account
      },
      log.descriptor
    ).pipe(Effect.mapError((error) => PostgresBinaries.notExecutable(options.binaries, error)))
    const isReady = recorded(home).pipe(
      Effect.map(Option.exists(({ isReady, pid }) => pid === server.pid && isReady)),
      Effect.repeat({ until: (isReady) => isReady, schedule: glance })
    )
    const end = yield* Effect.raceFirst(Effect.asVoid(isReady), server.exited).pipe(
      // It may not have recorded itself yet, so nobody else could tell it to stop.
      Effect.onInterrupt(() =>
        Effect.sync(() => ServerProcess.signal(server.pid, "SIGINT")).pipe(
          Effect.andThen(Effect.timeoutOption(server.exited, "30 seconds"))
        )
      )
    )
    if (end === undefined) return true
    const words = yield* log.words
    // The backends of a killed server hold its memory until they notice, which takes milliseconds.
    if (/pre-existing shared memory block|lock file ".*" already exists/.test(words)) return false
    return yield* fromWords(home.data, `PostgreSQL did not start (${end}; its log is ${home.log})`, words)
  }).pipe(Effect.scoped)

// --- internal ---

/** How often the record is looked at while a server starts (about 50 ms) or stops. */
const glance = Schedule.spaced("5 millis")

const record = (home: ServerHome): string => NodePath.join(home.data, "postmaster.pid")

const incarnation = (self: Postmaster): string => `${self.pid} ${self.startedAt}`

/**
 * Removes the record and the sockets of a killed server, which PostgreSQL would take for a living one's when the system
 * has given its process id to another process. Every starter does so before it starts a server, so a record that shows up
 * later is the work of a living one, and creating it decides alone which of two servers runs.
 */
const clear = Effect.fnUntraced(function* (home: ServerHome, sockets: Sockets) {
  const fs = yield* FileSystem.FileSystem
  const size = fs.stat(record(home)).pipe(
    Effect.map((info) => Option.some(info.size)),
    Effect.orElseSucceed(() => Option.none())
  )
  const isThere = Option.isSome(yield* size)
  // Empty: left by a crashed machine, unless its starter was killed in this moment and the server is just writing it.
  if (Option.exists(yield* size, ByteSize.isZero)) yield* Effect.sleep("1 second")
  const server = yield* recorded(home)
  const isDead = Option.isNone(server) || !(yield* isAlive(home, server.value))
  if (!isThere || !isDead) return
  const sockets_ = [`.s.PGSQL.${port}`, `.s.PGSQL.${port}.lock`].map((name) => NodePath.join(sockets.server, name))
  for (const path of [...sockets_, record(home)]) {
    yield* fs.remove(path, { force: true }).pipe(Effect.mapError(fromPlatformError(path)))
  }
})

const settings = (sockets: Sockets, durability: Durability): ReadonlyArray<string> =>
  [
    "listen_addresses=",
    // A list of paths; quoted, a comma or blank belongs to the path.
    `unix_socket_directories="${sockets.server.replaceAll('"', '""')}"`,
    `port=${port}`,
    "max_connections=100",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_destination=stderr",
    "logging_collector=off",
    ...(durability === "none" ? ["fsync=off", "synchronous_commit=off", "full_page_writes=off"] : [])
  ].flatMap((setting) => ["-c", setting])
