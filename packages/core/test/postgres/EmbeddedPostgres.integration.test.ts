import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import {
  emptyHome,
  home,
  isRunning,
  make,
  pidOf,
  query,
  recordOf,
  spawnUser,
  temporary,
  useTemplate,
  visit,
  waitUntil
} from "./EmbeddedHome.ts"

useTemplate()

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
        yield* query(
          server,
          "SELECT current_setting('listen_addresses'), current_setting('TimeZone'), datcollate::text FROM pg_database WHERE datname = 'assay'"
        ),
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
      const joins = yield* Effect.replicateEffect(timed(visit(path)), 20)
      // The fastest, for on a busy machine the others measure the machine.
      assert.isAtMost(Math.min(...joins.map(({ millis }) => millis)), 30)
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
      const path = yield* home
      const data = Path.join(path, "postgres", "data")
      const begun = waitUntil(() => Fs.existsSync(Path.join(data, "postmaster.pid")))
      yield* Effect.raceFirst(Effect.scoped(Effect.andThen(make(path), Effect.never)), begun)
      const { stdout } = ChildProcess.spawnSync("ps", ["-A", "-o", "args="], { encoding: "utf8" })
      assert.notInclude(stdout, data)
    })
  )
})

describe("several processes", () => {
  it.live("start one server together, leave in any order, and the last one stops it", () =>
    Effect.gen(function* () {
      const path = yield* emptyHome
      for (const order of [
        [0, 1, 2],
        [2, 0, 1],
        [1, 2, 0]
      ]) {
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
      assert.deepStrictEqual(
        yield* Effect.forEach(users, (user) => user.leave, { concurrency: "unbounded" }),
        [0, 0, 0]
      )
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

  it.live(
    "of the server, the next start recovers with everything that was committed, and counts the users that stayed",
    () =>
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
      assert.deepStrictEqual(yield* query(copy.server, "SELECT current_setting('data_directory')"), [
        [server.dataDirectory]
      ])
      const pid = pidOf(original.server)
      yield* copy.leave
      assert.isTrue(isRunning(pid))
    })
  )
})
