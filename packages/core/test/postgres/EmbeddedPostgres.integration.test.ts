import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import type { EmbeddedPostgresError } from "@assay/core/postgres/EmbeddedPostgresError"
import * as PostgresBinaries from "@assay/core/postgres/PostgresBinaries"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Option, Schedule, Scope } from "effect"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"

const isRoot = process.getuid?.() === 0

/** A directory that anybody may enter, as homes are, and that is removed after the test. */
const temporary = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-epg-")))
    Fs.chmodSync(directory, 0o755)
    return directory
  }),
  (directory) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10 }))
)

const emptyHome = Effect.map(temporary, (directory) => Path.join(directory, "home"))

const make = (home: string, durability: "full" | "none" = "none") => EmbeddedPostgres.make({ home, durability })

const template = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-epg-template-"))

beforeAll(() => {
  Fs.chmodSync(template, 0o755)
  return Effect.runPromise(Effect.scoped(Effect.asVoid(make(template))))
})

afterAll(() => Fs.rmSync(template, { recursive: true }))

/** A home with a database in it, copied because making one takes half a second. */
const home = Effect.tap(emptyHome, (path) => Effect.sync(() => ChildProcess.execFileSync("cp", ["-a", template, path])))

type Server = EmbeddedPostgres.EmbeddedPostgres["Service"]

/** Joins under a scope that the test closes when it wants to leave. */
const visit = Effect.fnUntraced(function* (home: string, durability?: "full" | "none") {
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const server = yield* Scope.provide(make(home, durability), scope)
  return { server, leave: Scope.close(scope, Exit.void) }
})

const query = (server: Server, text: string, database = server.database) =>
  PgConnection.make({ host: server.socketDirectory, port: server.port, username: server.username, database }).pipe(
    Effect.flatMap((connection) => connection.queryValues(text)),
    Effect.scoped
  )

const recordOf = (server: Server) => Path.join(server.dataDirectory, "postmaster.pid")

const pidOf = (server: Server) => Number(Fs.readFileSync(recordOf(server), "utf8").split("\n")[0])

/** Whether a process runs; a zombie does not. */
const isRunning = (pid: number): boolean => {
  const { stdout } = ChildProcess.spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z")
}

const waitUntil = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("5 millis") }),
    Effect.timeout("20 seconds")
  )

/** A process that uses the server of a home, killed at the end of the test if it is still there. */
const spawnUser = Effect.fnUntraced(function* (home: string, identity: { uid?: number; gid?: number } = {}) {
  const script = Path.join(import.meta.dirname, "EmbeddedPostgresUser.ts")
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [script, JSON.stringify({ home, durability: "none" })], {
        ...identity,
        cwd: "/",
        stdio: ["pipe", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const exited = once(child, "exit")
  const lines = Readline.createInterface({ input: child.stdout })
  const firstLine = once(lines, "line")
  return {
    joined: Effect.promise(() => firstLine).pipe(Effect.map((line): Server => JSON.parse(String(line)))),
    leave: Effect.promise(() => {
      child.stdin.end()
      return exited
    }).pipe(Effect.map(([code]: Array<unknown>) => code)),
    kill: Effect.promise(() => {
      child.kill("SIGKILL")
      return exited
    })
  }
})

const failure = (effect: Effect.Effect<unknown, EmbeddedPostgresError, Scope.Scope>) => Effect.flip(Effect.scoped(effect))

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const value = yield* effect
    return { value, millis: (yield* Clock.currentTimeMillis) - start }
  })

describe("one process", () => {
  it.live("makes a database, starts the server, and stops it when it leaves", () =>
    Effect.gen(function* () {
      const { server, leave } = yield* visit(yield* emptyHome)
      assert.deepStrictEqual(
        yield* query(server, "SELECT current_user::text, current_database()::text, current_setting('server_encoding')"),
        [["assay", "assay", "UTF8"]]
      )
      assert.deepStrictEqual(
        yield* query(server, "SELECT current_setting('listen_addresses'), current_setting('TimeZone'), datcollate::text FROM pg_database WHERE datname = 'assay'"),
        [["", "UTC", "C"]]
      )
      const pid = pidOf(server)
      assert.isTrue(isRunning(pid))
      assert.strictEqual(Fs.statSync(server.socketDirectory).mode & 0o777, 0o700)
      yield* leave
      assert.isFalse(isRunning(pid))
      assert.isFalse(Fs.existsSync(recordOf(server)))
    })
  )

  it.live("makes exclusion constraints over keys and windows possible (btree_gist)", () =>
    Effect.gen(function* () {
      const { server } = yield* visit(yield* home)
      yield* query(server, "CREATE EXTENSION btree_gist")
      yield* query(server, "CREATE TABLE version (k int, w tstzrange, EXCLUDE USING gist (k WITH =, w WITH &&))")
      yield* query(server, "INSERT INTO version VALUES (1, '[2024-01-01,2024-02-01)')")
      const overlap = yield* Effect.flip(query(server, "INSERT INTO version VALUES (1, '[2024-01-31,2024-03-01)')"))
      assert.strictEqual(overlap.reason._tag, "ConstraintError")
    })
  )

  it.live("finds its data again and starts an existing home in less than a second", () =>
    Effect.gen(function* () {
      const path = yield* home
      const first = yield* visit(path)
      yield* query(first.server, "CREATE TABLE kept AS SELECT 42 AS answer")
      yield* first.leave
      const { millis, value } = yield* timed(visit(path))
      assert.isBelow(millis, 1000)
      assert.deepStrictEqual(yield* query(value.server, "SELECT answer FROM kept"), [[42]])
    })
  )

  it.live("joins its own running server within milliseconds, and keeps it until the last scope closes", () =>
    Effect.gen(function* () {
      const path = yield* home
      const first = yield* visit(path)
      const pid = pidOf(first.server)
      const joins = yield* Effect.replicateEffect(timed(visit(path)), 9)
      const median = joins.map(({ millis }) => millis).toSorted((a, b) => a - b)[4]
      assert.isDefined(median)
      assert.isAtMost(median, 30)
      yield* first.leave
      assert.isTrue(isRunning(pid))
      yield* Effect.forEach(joins, ({ value }) => value.leave, { concurrency: "unbounded" })
      assert.isFalse(isRunning(pid))
    })
  )

  it.effect("waits for processes in real time, even where a test's clock stands still", () =>
    Effect.gen(function* () {
      const { server, leave } = yield* visit(yield* home)
      assert.deepStrictEqual(yield* query(server, "SELECT 1"), [[1]])
      yield* leave
      assert.isFalse(Fs.existsSync(recordOf(server)))
    })
  )

  it.live("stops the server even when it is interrupted while starting it", () =>
    Effect.gen(function* () {
      const path = yield* emptyHome
      const record = Path.join(path, "postgres", "data", "postmaster.pid")
      yield* Effect.raceFirst(Effect.scoped(Effect.andThen(make(path), Effect.never)), waitUntil(() => Fs.existsSync(record)))
      assert.isFalse(Fs.existsSync(record))
    })
  )
})

describe("several processes", () => {
  it.live("start one server together, leave in any order, and the last one stops it", () =>
    Effect.gen(function* () {
      const path = yield* emptyHome
      for (const order of [[0, 1, 2], [2, 0, 1], [1, 2, 0]]) {
        const users = yield* Effect.replicateEffect(spawnUser(path), 3)
        const [server] = yield* Effect.forEach(users, (user) => user.joined, { concurrency: "unbounded" })
        assert.isDefined(server)
        const pid = pidOf(server)
        for (const [position, index] of order.entries()) {
          assert.isTrue(isRunning(pid), `with ${3 - position} users left`)
          assert.strictEqual(yield* users[index]?.leave ?? Effect.succeed("no such user"), 0)
        }
        assert.isFalse(isRunning(pid))
      }
    })
  )

  it.live("leave at the same moment, and none of them leaves the server behind", () =>
    Effect.gen(function* () {
      const path = yield* home
      const users = yield* Effect.replicateEffect(spawnUser(path), 3)
      const [server] = yield* Effect.forEach(users, (user) => user.joined, { concurrency: "unbounded" })
      assert.isDefined(server)
      const pid = pidOf(server)
      assert.deepStrictEqual(yield* Effect.forEach(users, (user) => user.leave, { concurrency: "unbounded" }), [0, 0, 0])
      assert.isFalse(isRunning(pid))
    })
  )

  it.live("may leave the server to others that joined after them", () =>
    Effect.gen(function* () {
      const path = yield* home
      const starter = yield* spawnUser(path)
      const server = yield* starter.joined
      const pid = pidOf(server)
      const { leave } = yield* visit(path)
      assert.strictEqual(yield* starter.leave, 0)
      assert.deepStrictEqual(yield* query(server, "SELECT 1"), [[1]])
      yield* leave
      assert.isFalse(isRunning(pid))
    })
  )
})

describe("after a SIGKILL", () => {
  it.live("of a user, the next one joins the server and its leaving stops it", () =>
    Effect.gen(function* () {
      const path = yield* home
      const victim = yield* spawnUser(path)
      const server = yield* victim.joined
      const pid = pidOf(server)
      yield* victim.kill
      assert.isTrue(isRunning(pid))
      const next = yield* visit(path)
      assert.strictEqual(pidOf(next.server), pid)
      yield* next.leave
      assert.isFalse(isRunning(pid))
      assert.deepStrictEqual(Fs.readdirSync(Path.join(server.socketDirectory, "..", "users")), [])
    })
  )

  it.live("of one user, another that goes on keeps the server", () =>
    Effect.gen(function* () {
      const path = yield* home
      const [victim, leaver, user] = yield* Effect.all([spawnUser(path), spawnUser(path), spawnUser(path)])
      const server = yield* victim.joined
      const pid = pidOf(server)
      yield* Effect.all([leaver.joined, user.joined])
      yield* victim.kill
      yield* leaver.leave
      assert.isTrue(isRunning(pid))
      assert.deepStrictEqual(yield* query(server, "SELECT 1"), [[1]])
      yield* user.leave
      assert.isFalse(isRunning(pid))
    })
  )

  it.live("of the server, the next start recovers with everything that was committed, and counts the users that stayed", () =>
    Effect.gen(function* () {
      const path = yield* home
      const before = yield* visit(path, "full")
      yield* query(before.server, "CREATE TABLE kept AS SELECT 42 AS answer")
      const pid = pidOf(before.server)
      process.kill(pid, "SIGKILL")
      yield* waitUntil(() => !isRunning(pid))
      const after = yield* visit(path, "full")
      const successor = pidOf(after.server)
      assert.notStrictEqual(successor, pid)
      assert.deepStrictEqual(yield* query(after.server, "SELECT answer FROM kept"), [[42]])
      yield* after.leave
      assert.isTrue(isRunning(successor))
      yield* before.leave
      assert.isFalse(isRunning(successor))
    })
  )

  it.live("in the middle of making the database, the next start makes it", () =>
    Effect.gen(function* () {
      const path = yield* emptyHome
      const victim = yield* spawnUser(path)
      const directory = Path.join(path, "postgres")
      const unfinished = () =>
        Fs.existsSync(directory) ? Fs.readdirSync(directory).filter((name) => name.startsWith("unfinished-")) : []
      yield* waitUntil(() => unfinished().some((name) => Fs.existsSync(Path.join(directory, name, "PG_VERSION"))))
      yield* victim.kill
      assert.isFalse(Fs.existsSync(Path.join(directory, "data")))
      const first = yield* visit(path)
      assert.deepStrictEqual(yield* query(first.server, "SELECT 1"), [[1]])
      yield* first.leave
      const isMaking = () =>
        ChildProcess.spawnSync("ps", ["-A", "-o", "args="], { encoding: "utf8" }).stdout.includes(
          Path.join(directory, "unfinished-")
        )
      yield* waitUntil(() => !isMaking())
      yield* visit(path)
      assert.deepStrictEqual(unfinished(), [])
    })
  )

  it.live("between the making and the naming of the database, the next start names it", () =>
    Effect.gen(function* () {
      const path = yield* home
      const first = yield* visit(path)
      yield* query(first.server, "DROP DATABASE assay", "postgres")
      yield* first.leave
      const second = yield* visit(path)
      assert.deepStrictEqual(yield* query(second.server, "SELECT current_database()::text"), [["assay"]])
    })
  )

  it.live("of a leaver about to stop the server, the next one does not join the condemned server", () =>
    Effect.gen(function* () {
      const path = yield* home
      const victim = yield* spawnUser(path)
      const server = yield* victim.joined
      const [pid, , startedAt] = Fs.readFileSync(recordOf(server), "utf8").split("\n")
      yield* victim.kill
      Fs.writeFileSync(Path.join(path, "postgres", "condemned"), `${pid} ${startedAt}`)
      const next = yield* visit(path)
      assert.isFalse(isRunning(Number(pid)))
      assert.notStrictEqual(pidOf(next.server), Number(pid))
      assert.deepStrictEqual(yield* query(next.server, "SELECT 1"), [[1]])
    })
  )
})

describe("a record of a server that is not there", () => {
  const stopped = Effect.fnUntraced(function* () {
    const { server, leave } = yield* visit(yield* home)
    const record = Fs.readFileSync(recordOf(server), "utf8")
    const { gid, uid } = Fs.statSync(server.dataDirectory)
    yield* leave
    const leaveBehind = (file: string, text: string) => {
      Fs.writeFileSync(file, text, { mode: 0o600 })
      Fs.chownSync(file, uid, gid)
    }
    return { server, home: Path.join(server.dataDirectory, "..", ".."), record, leaveBehind }
  })

  it.live("does not stop the next start when its process id belongs to another process, as after a restart", () =>
    Effect.gen(function* () {
      const { home, leaveBehind, record, server } = yield* stopped()
      const recycled = record.replace(/^\d+/, String(process.ppid))
      leaveBehind(recordOf(server), recycled)
      leaveBehind(Path.join(server.socketDirectory, ".s.PGSQL.5432.lock"), recycled)
      const next = yield* visit(home)
      assert.notStrictEqual(pidOf(next.server), process.ppid)
      assert.deepStrictEqual(yield* query(next.server, "SELECT 1"), [[1]])
    })
  )

  it.live("does not stop the next start when it is empty", () =>
    Effect.gen(function* () {
      const { home, leaveBehind, server } = yield* stopped()
      leaveBehind(recordOf(server), "")
      const next = yield* visit(home)
      assert.deepStrictEqual(yield* query(next.server, "SELECT 1"), [[1]])
    })
  )

  it.live("does not lead to the server of the home that this one was copied from", () =>
    Effect.gen(function* () {
      const { home, leaveBehind, server } = yield* stopped()
      const original = yield* visit(yield* Effect.map(temporary, (directory) => Path.join(directory, "original")))
      leaveBehind(recordOf(server), Fs.readFileSync(recordOf(original.server), "utf8"))
      const copy = yield* visit(home)
      assert.deepStrictEqual(yield* query(copy.server, "SELECT current_setting('data_directory')"), [[server.dataDirectory]])
      const pid = pidOf(original.server)
      yield* copy.leave
      assert.isTrue(isRunning(pid))
    })
  )
})

describe("places", () => {
  it.live("a home whose path is too long for a unix socket", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* emptyHome, "a-directory-with-a-long-name".repeat(4))
      const { server, leave } = yield* visit(path)
      assert.isBelow(Buffer.byteLength(server.socketDirectory), 90)
      const joined = yield* visit(path)
      assert.strictEqual(joined.server.socketDirectory, server.socketDirectory)
      assert.deepStrictEqual(yield* query(joined.server, "SELECT current_setting('data_directory')"), [
        [Path.join(path, "postgres", "data")]
      ])
      yield* leave
      yield* joined.leave
      assert.isFalse(Fs.existsSync(recordOf(server)))
      Fs.rmSync(Path.dirname(server.socketDirectory), { recursive: true })
    })
  )

  it.live("a home with blanks, commas and quotes in its path, and one behind a symbolic link", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const odd = Path.join(directory, `it's, "odd"`)
      const link = Path.join(directory, "link")
      const direct = yield* visit(odd)
      Fs.symlinkSync(odd, link)
      const linked = yield* visit(link)
      assert.deepStrictEqual(linked.server, direct.server)
      assert.deepStrictEqual(yield* query(linked.server, "SELECT 1"), [[1]])
    })
  )

  it.live.runIf(isRoot)("as root, runs as an account without privileges", () =>
    Effect.gen(function* () {
      const { server } = yield* visit(yield* emptyHome)
      const { uid } = Fs.statSync(server.dataDirectory)
      assert.notStrictEqual(uid, 0)
      const { stdout } = ChildProcess.spawnSync("ps", ["-o", "uid=", "-p", String(pidOf(server))], { encoding: "utf8" })
      assert.strictEqual(Number(stdout), uid)
    })
  )

  it.live.runIf(isRoot)("as root in a home that the account cannot enter, keeps the data where it can, and finds it again", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const stateDirectory = Path.join(directory, "state")
      const path = Path.join(directory, "private", "home")
      Fs.mkdirSync(Path.dirname(path), { mode: 0o700 })
      const options = { home: path, durability: "none", stateDirectory } as const
      const first = yield* Effect.scoped(
        Effect.tap(EmbeddedPostgres.make(options), (server) => query(server, "CREATE TABLE kept AS SELECT 42 AS answer"))
      )
      assert.isTrue(first.dataDirectory.startsWith(stateDirectory))
      // Opened later, the home does not hide the data.
      Fs.chmodSync(Path.dirname(path), 0o755)
      const second = yield* EmbeddedPostgres.make(options)
      assert.deepStrictEqual(yield* query(second, "SELECT answer FROM kept"), [[42]])
    })
  )

  it.live.runIf(isRoot)("as root, copies binaries that the account cannot read, and mends their links", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const packaged = yield* PostgresBinaries.locate(process.platform, process.arch)
      const hidden = { ...packaged, directory: Path.join(directory, "private", "native") }
      Fs.cpSync(packaged.directory, hidden.directory, { recursive: true, verbatimSymlinks: true })
      Fs.chmodSync(Path.join(directory, "private"), 0o700)
      const lib = Path.join(hidden.directory, "lib")
      const links = Fs.readdirSync(lib).filter((name) => Fs.lstatSync(Path.join(lib, name)).isSymbolicLink())
      for (const name of links) Fs.rmSync(Path.join(lib, name))
      const nobody = { uid: 65534, gid: 65534 }
      const options = { account: Option.some(nobody), copies: Path.join(directory, "copies") }
      Fs.mkdirSync(options.copies)
      const prepared = yield* PostgresBinaries.prepare(hidden, options)
      const { stdout } = ChildProcess.spawnSync(PostgresBinaries.program(prepared, "postgres"), ["--version"], {
        ...nobody,
        cwd: "/",
        encoding: "utf8"
      })
      assert.include(stdout, "PostgreSQL) 18")
      assert.deepStrictEqual(yield* PostgresBinaries.prepare(hidden, options), prepared)
      assert.strictEqual(Fs.readdirSync(options.copies).length, 1)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.live.runIf(isRoot)("as root in the home of somebody else, shares the server with its owner", () =>
    Effect.gen(function* () {
      const nobody = { uid: 65534, gid: 65534 }
      const directory = yield* temporary
      Fs.chownSync(directory, nobody.uid, nobody.gid)
      const path = Path.join(directory, "home")
      const owner = yield* spawnUser(path, nobody)
      const pid = pidOf(yield* owner.joined)
      const { server, leave } = yield* visit(path)
      assert.strictEqual(pidOf(server), pid)
      assert.strictEqual(yield* owner.leave, 0)
      assert.isTrue(isRunning(pid))
      yield* leave
      assert.isFalse(isRunning(pid))
      const again = yield* visit(path)
      const late = yield* spawnUser(path, nobody)
      assert.strictEqual(pidOf(yield* late.joined), pidOf(again.server))
      yield* again.leave
      assert.strictEqual(yield* late.leave, 0)
      assert.isFalse(Fs.existsSync(recordOf(server)))
    })
  )
})

describe("an error says what is wrong and what to do", () => {
  it.live("when no PostgreSQL is packaged for the platform", () =>
    Effect.gen(function* () {
      const reason = yield* Effect.flip(PostgresBinaries.locate("sunos", "sparc"))
      assert.strictEqual(reason._tag, "UnsupportedPlatform")
      assert.include(reason.message, "sunos on sparc")
      assert.include(reason.message, "DATABASE_URL")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.live("when the home cannot be made", () =>
    Effect.gen(function* () {
      const file = Path.join(yield* temporary, "file")
      Fs.writeFileSync(file, "")
      const error = yield* failure(make(Path.join(file, "home")))
      assert.strictEqual(error.reason._tag, "HomeUnusable")
      assert.include(error.message, "is a file, not a directory")
    })
  )

  it.live("when the data directory is another version's, or nobody's", () =>
    Effect.gen(function* () {
      const path = yield* emptyHome
      const data = Path.join(path, "postgres", "data")
      const { leave } = yield* visit(path)
      yield* leave
      Fs.writeFileSync(Path.join(data, "PG_VERSION"), "17\n")
      const older = yield* failure(make(path))
      assert.strictEqual(older.reason._tag, "VersionMismatch")
      assert.include(older.message, "holds data of PostgreSQL 17")
      Fs.rmSync(Path.join(data, "PG_VERSION"))
      const foreign = yield* failure(make(path))
      assert.strictEqual(foreign.reason._tag, "HomeUnusable")
      assert.include(foreign.message, "is not a PostgreSQL data directory")
    })
  )

  it.live("when the server refuses to start, in the server's own words", () =>
    Effect.gen(function* () {
      const path = yield* home
      const { leave } = yield* visit(path)
      yield* leave
      Fs.appendFileSync(Path.join(path, "postgres", "data", "postgresql.auto.conf"), "max_wal_senders = lots\n")
      const error = yield* failure(make(path))
      assert.strictEqual(error.reason._tag, "StartRefused")
      assert.include(error.message, 'invalid value for parameter "max_wal_senders": "lots"')
      assert.include(error.message, "server.log")
    })
  )

  it.live("when another process holds the home for longer than one wants to wait", () =>
    Effect.gen(function* () {
      const path = yield* home
      const { server, leave } = yield* visit(path)
      const pid = pidOf(server)
      yield* Effect.acquireUseRelease(
        Effect.sync(() => process.kill(pid, "SIGSTOP")),
        () =>
          Effect.gen(function* () {
            const error = yield* failure(EmbeddedPostgres.make({ home: path, startTimeout: "100 millis" }))
            assert.strictEqual(error.reason._tag, "TimedOut")
            assert.include(error.message, `process ${pid}`)
          }),
        () => Effect.sync(() => process.kill(pid, "SIGCONT"))
      )
      assert.deepStrictEqual(yield* query(server, "SELECT 1"), [[1]])
      yield* leave
      assert.isFalse(isRunning(pid))
    })
  )
})
