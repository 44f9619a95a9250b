/**
 * A PostgreSQL server that belongs to one file of tests, which may stop it, take its disk away or starve it: durable, on
 * a unix socket, of the embedded version, or of the installed one where the tests run on a server that was given.
 */
import * as PostgresBinaries from "@assay/core/postgres/PostgresBinaries"
import * as ServerAccount from "@assay/core/postgres/ServerAccount"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

export class OwnServer extends Context.Service<
  OwnServer,
  {
    /** The URL of its maintenance database. */
    readonly url: string
    /** A folder that the server may use. */
    readonly directory: string
    /** A file system of a few megabytes that the server may use; undefined where we may not mount one. */
    readonly smallDisk: string | undefined
    readonly account: Option.Option<ServerAccount.ServerAccount>
    readonly start: Effect.Effect<void>
    /** `fast` lets transactions abort, `immediate` is a crash. */
    readonly stop: (mode: "fast" | "immediate") => Effect.Effect<void>
  }
>()("@assay/core/test/crash/OwnServer") {}

/** The most clients that it lets in. */
export const maxConnections = 16

export const layer: Layer.Layer<OwnServer> = Layer.effect(
  OwnServer,
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-own-")))),
      (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true, maxRetries: 10 }))
    )
    const account = ServerAccount.isNeeded()
      ? Option.some(yield* ServerAccount.forDirectory(directory))
      : Option.none<ServerAccount.ServerAccount>()
    yield* ServerAccount.give(directory, account)
    const smallDisk = yield* mounted(Path.join(directory, "disk"), account)
    const bin = yield* installed(directory, account)
    const run = (program: string, ...options: ReadonlyArray<string>) =>
      Effect.callback<void>((resume) => {
        const child = ChildProcess.spawn(Path.join(bin, program), ["-D", Path.join(directory, "data"), ...options], {
          ...Option.getOrUndefined(account),
          cwd: directory,
          // A server that is started inherits what is not ignored, and would keep it open.
          stdio: "ignore"
        })
        child.on("error", (error) => resume(Effect.die(error)))
        child.on("exit", (code) =>
          resume(code === 0 ? Effect.void : Effect.die(new Error(`${program} ended with ${code}`)))
        )
      })
    yield* run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    Fs.appendFileSync(
      Path.join(directory, "data", "postgresql.conf"),
      [
        "listen_addresses = ''",
        `unix_socket_directories = '${directory}'`,
        `max_connections = ${maxConnections}`,
        "max_wal_senders = 0",
        "superuser_reserved_connections = 0",
        "shared_buffers = 16MB"
      ].join("\n")
    )
    const start = run("pg_ctl", "-w", "-l", Path.join(directory, "log"), "start")
    const stop = (mode: "fast" | "immediate") => run("pg_ctl", "-w", "-m", mode, "stop")
    yield* Effect.acquireRelease(start, () =>
      Fs.existsSync(Path.join(directory, "data", "postmaster.pid")) ? stop("immediate") : Effect.void
    )
    return {
      url: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`,
      directory,
      smallDisk,
      account,
      start,
      stop
    }
  }).pipe(Effect.orDie, Effect.provide(NodeFileSystem.layer))
)

// --- internal ---

const mounted = (path: string, account: Option.Option<ServerAccount.ServerAccount>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      Fs.mkdirSync(path)
      const owner = Option.match(account, { onNone: () => "", onSome: ({ gid, uid }) => `,uid=${uid},gid=${gid}` })
      const mount = ["-t", "tmpfs", "-o", `size=8m,mode=700${owner}`, "tmpfs", path]
      return ChildProcess.spawnSync("mount", mount, { stdio: "ignore" }).status === 0 ? path : undefined
    }),
    (disk) => Effect.sync(() => (disk === undefined ? undefined : ChildProcess.execFileSync("umount", ["-l", disk])))
  )

const installed = Effect.fnUntraced(function* (directory: string, account: Option.Option<ServerAccount.ServerAccount>) {
  const [debian] = Fs.globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed()
  if ((process.env["TEST_DATABASE_URL"] ?? "") !== "" && debian !== undefined) return debian
  const binaries = yield* PostgresBinaries.locate(Os.platform(), Os.arch())
  const fit = yield* PostgresBinaries.prepare(binaries, { account, copies: directory })
  return Path.join(fit.directory, "bin")
})
