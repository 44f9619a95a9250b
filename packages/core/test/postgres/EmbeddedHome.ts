/**
 * Homes for tests of the embedded server: made, copied, visited from this process and from others, and removed.
 */
import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Exit, Schedule, Schema, Scope } from "effect"
import * as ChildProcess from "node:child_process"
import * as Crypto from "node:crypto"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"
import { afterAll, beforeAll } from "vitest"

/** A directory that anybody may enter, as homes are, and that is removed after the test. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-epg-")))
    Fs.chmodSync(directory, 0o755)
    return directory
  }),
  (directory) => Effect.sync(() => Fs.rmSync(directory, { recursive: true, force: true, maxRetries: 10 }))
)

export const emptyHome = Effect.map(temporary, (directory) => Path.join(directory, "home"))

export const make = (home: string, durability: "full" | "none" = "none") => EmbeddedPostgres.make({ home, durability })

const template = Path.join(Os.tmpdir(), `assay-epg-template-${Crypto.randomUUID()}`)

/** Makes the database that `home` copies, once per file of tests. */
export const useTemplate = (): void => {
  beforeAll(() => {
    Fs.mkdirSync(template)
    Fs.chmodSync(template, 0o755)
    return Effect.runPromise(Effect.scoped(Effect.asVoid(make(template))))
  })
  afterAll(() => Fs.rmSync(template, { recursive: true }))
}

/** A home with a database in it, copied because making one takes half a second. */
export const home = Effect.tap(emptyHome, (path) =>
  Effect.sync(() => ChildProcess.execFileSync("cp", ["-a", template, path]))
)

export type Server = EmbeddedPostgres.EmbeddedPostgres["Service"]

/** Joins under a scope that the test closes when it wants to leave. */
export const visit = Effect.fnUntraced(function* (home: string, durability?: "full" | "none") {
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const server = yield* Scope.provide(make(home, durability), scope)
  return { server, leave: Scope.close(scope, Exit.void) }
})

export const query = (server: Server, text: string, database = server.database) =>
  PgConnection.make({ host: server.socketDirectory, port: server.port, username: server.username, database }).pipe(
    Effect.flatMap((connection) => connection.queryValues(text)),
    Effect.scoped
  )

export const recordOf = (server: Server) => Path.join(server.dataDirectory, "postmaster.pid")

export const pidOf = (server: Server) => Number(Fs.readFileSync(recordOf(server), "utf8").split("\n")[0])

/** Whether a process runs; a zombie does not. */
export const isRunning = (pid: number): boolean => {
  const { stdout } = ChildProcess.spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z")
}

export const waitUntil = (condition: () => boolean) =>
  Effect.sync(condition).pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("5 millis") }),
    Effect.timeout("2 minutes")
  )

const decodeServer = Schema.decodeEffect(
  Schema.fromJsonString(
    Schema.Struct({
      socketDirectory: Schema.String,
      port: Schema.Int,
      username: Schema.String,
      database: Schema.String,
      dataDirectory: Schema.String,
      log: Schema.String
    })
  )
)

/** A process that uses the server of a home, killed at the end of the test if it is still there. */
export const spawnUser = Effect.fnUntraced(function* (home: string, identity: { uid?: number; gid?: number } = {}) {
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
    joined: Effect.promise(() => firstLine).pipe(Effect.flatMap((line) => decodeServer(String(line)))),
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
