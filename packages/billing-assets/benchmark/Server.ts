/**
 * Which server is measured? One of the embedded version that is made for the run and disappears with it. It counts
 * statements, pages and write-ahead log by itself (`pg_stat_statements`), because times are not the same twice.
 */
import * as PostgresBinaries from "@assay/core/postgres/PostgresBinaries"
import * as ServerAccount from "@assay/core/postgres/ServerAccount"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

/** Settings of the server, as its configuration file takes them. */
export type Settings = Readonly<Record<string, string>>

/** Starts a server until the scope closes, and yields the URL of its maintenance database. */
export const start = (options: {
  /** Where its folder is made. */
  readonly within: string
  readonly settings: Settings
}): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.realpathSync(Fs.mkdtempSync(Path.join(options.within, "assay-bench-")))),
      (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true, force: true, maxRetries: 10 }))
    )
    const account = ServerAccount.isNeeded()
      ? Option.some(yield* ServerAccount.forDirectory(directory))
      : Option.none<ServerAccount.ServerAccount>()
    yield* ServerAccount.give(directory, account)
    const binaries = yield* PostgresBinaries.locate(Os.platform(), Os.arch())
    const fit = yield* PostgresBinaries.prepare(binaries, { account, copies: directory })
    const run = (program: string, ...given: ReadonlyArray<string>) =>
      Effect.sync(() =>
        ChildProcess.execFileSync(
          Path.join(fit.directory, "bin", program),
          ["-D", Path.join(directory, "data"), ...given],
          // A server that is started inherits what is not ignored, and would keep it open.
          { ...Option.getOrUndefined(account), cwd: directory, stdio: "ignore" }
        )
      )
    yield* run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    const settings = {
      listen_addresses: "",
      unix_socket_directories: directory,
      shared_preload_libraries: "pg_stat_statements",
      ...options.settings
    }
    Fs.appendFileSync(
      Path.join(directory, "data", "postgresql.conf"),
      Object.entries(settings)
        .map(([name, value]) => `${name} = '${value}'\n`)
        .join("")
    )
    yield* Effect.acquireRelease(run("pg_ctl", "-w", "-l", Path.join(directory, "log"), "start"), () =>
      run("pg_ctl", "-w", "-m", "immediate", "stop")
    )
    return `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`
  }).pipe(Effect.orDie, Effect.provide(NodeFileSystem.layer))

/** For a run that is measured: a quarter of the memory, and no checkpoint in the middle of a load. */
export const generous: Settings = {
  shared_buffers: `${Math.min(2048, Math.floor(Os.totalmem() / 2 ** 20 / 4))}MB`,
  max_wal_size: "8GB",
  checkpoint_timeout: "1h"
}

/** For counting: nothing that happens by itself, and nothing that waits for a disk. */
export const calm: Settings = {
  autovacuum: "off",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  shared_buffers: "64MB"
}
