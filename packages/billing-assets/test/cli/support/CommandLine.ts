/**
 * The real command line as a user has it: `bin.ts` in a process of its own, with an environment of its own and a folder
 * to be in.
 */
import * as Database from "@assay/core/postgres/Database"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as ChildProcess from "node:child_process"
import { randomUUID } from "node:crypto"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { inject } from "vitest"

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the maintenance database of the server that the tests share. */
    readonly postgresUrl: string
  }
}

/** How a process ended, and all that it wrote. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly error: string
}

/** A process that may still run. */
export interface Started {
  readonly ended: Effect.Effect<Ended>
  /** Waits until it has written this to standard output. */
  readonly wrote: (text: string) => Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Closes the reading end of its standard output, as `head` does. */
  readonly hangUp: Effect.Effect<void>
}

/** A folder to be in, with a feed in it, and an environment on a database of its own. */
export class CommandLine extends Context.Service<
  CommandLine,
  {
    readonly folder: string
    readonly databaseUrl: string
    readonly start: (args: ReadonlyArray<string>, env?: Env) => Effect.Effect<Started>
    readonly run: (args: ReadonlyArray<string>, env?: Env) => Effect.Effect<Ended>
    /** Does something to the database behind the command line's back. */
    readonly tamper: (statement: string) => Effect.Effect<void>
  }
>()("@assay/billing-assets/test/cli/support/CommandLine") {}

type Env = Readonly<Record<string, string>>

export const bin = Path.resolve(import.meta.dirname, "../../../src/bin.ts")

export const layer: Layer.Layer<CommandLine> = Layer.effect(
  CommandLine,
  Effect.gen(function* () {
    const folder = yield* temporary
    const databaseUrl = yield* database
    const start = (args: ReadonlyArray<string>, env: Env = {}) =>
      spawn(args, {
        cwd: folder,
        env: { PATH: process.env["PATH"] ?? "", DATABASE_URL: databaseUrl, BILLING_EVENTS: "feed", ...env }
      })
    return {
      folder,
      databaseUrl,
      start,
      run: (args, env) => Effect.flatMap(start(args, env), ({ ended }) => ended),
      tamper: (statement) => administer(databaseUrl, statement)
    }
  })
)

/** A file of the feed; a file of that name is replaced. */
export const feed = Effect.fnUntraced(function* (name: string, lines: ReadonlyArray<string>) {
  const { folder } = yield* CommandLine
  const path = Path.join(folder, "feed", name)
  Fs.mkdirSync(Path.dirname(path), { recursive: true })
  Fs.writeFileSync(path, `${lines.join("\n")}\n`)
  return path
})

export const header = "event_id,customer_id,event_type,amount,currency,event_ts,updated_at,op,attributes"

/** A paid invoice at noon of a day. */
export const invoice = (id: string, day: string, amount: string): string =>
  `${id},c1,invoice_paid,${amount},EUR,${day}T12:00:00Z,${day}T12:00:01Z,,`

// --- internal ---

const temporary = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-cli-")))
    // The embedded server runs under another account when the tests run as root.
    Fs.chmodSync(folder, 0o755)
    return folder
  }),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
)

const database = Effect.gen(function* () {
  const server = inject("postgresUrl")
  const name = `cli_${randomUUID().replaceAll("-", "")}`
  yield* Effect.acquireRelease(administer(server, `CREATE DATABASE ${name} TEMPLATE template0`), () =>
    administer(server, `DROP DATABASE ${name} WITH (FORCE)`)
  )
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
})

const administer = (server: string, statement: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* sql.unsafe(statement)
  }).pipe(Effect.provide(Database.layerUrl({ url: Redacted.make(server), maxConnections: 1 })), Effect.orDie)

const spawn = (
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly env: Env }
): Effect.Effect<Started> =>
  Effect.sync(() => {
    const child = ChildProcess.spawn(process.execPath, [bin, ...args], {
      ...options,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let out = ""
    let error = ""
    const watchers = new Set<() => void>()
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
      for (const watcher of watchers) watcher()
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      error += text
    })
    const closed = new Promise<Ended>((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal, out, error }))
    })
    return {
      ended: Effect.promise(() => closed),
      wrote: (text) =>
        Effect.callback<void>((resume) => {
          const watcher = () => (out.includes(text) ? resume(Effect.void) : undefined)
          watchers.add(watcher)
          watcher()
          return Effect.sync(() => watchers.delete(watcher))
        }),
      kill: (signal) => Effect.sync(() => void child.kill(signal)),
      hangUp: Effect.sync(() => void child.stdout.destroy())
    }
  })
