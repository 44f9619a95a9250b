import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import type { EmbeddedPostgresError } from "@assay/core/postgres/EmbeddedPostgresError"
import * as PostgresBinaries from "@assay/core/postgres/PostgresBinaries"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, type Scope } from "effect"
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
  visit
} from "./EmbeddedHome.ts"

useTemplate()

const isRoot = process.getuid?.() === 0

const failure = (effect: Effect.Effect<unknown, EmbeddedPostgresError, Scope.Scope>) =>
  Effect.flip(Effect.scoped(effect))

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

  it.live.runIf(isRoot)(
    "as root in a home that the account cannot enter, keeps the data where it can, and finds it again",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporary
        const stateDirectory = Path.join(directory, "state")
        const path = Path.join(directory, "private", "home")
        Fs.mkdirSync(Path.dirname(path), { mode: 0o700 })
        const options = { home: path, durability: "none", stateDirectory } as const
        const first = yield* Effect.scoped(
          Effect.tap(EmbeddedPostgres.make(options), (server) =>
            query(server, "CREATE TABLE kept AS SELECT 42 AS answer")
          )
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
