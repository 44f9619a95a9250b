/**
 * Operating system processes as PostgreSQL needs them: under another account, in a session of their own, with their
 * output in a file. Effect's child processes know neither accounts nor open files, hence Node's.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as ChildProcess from "node:child_process"
import type { ServerAccount } from "./ServerAccount.ts"

/**
 * What to execute, and as whom.
 *
 * @category models
 * @since 0.1.0
 */
export interface Command {
  readonly program: string
  readonly arguments: ReadonlyArray<string>
  readonly account: Option.Option<ServerAccount>
}

/**
 * A started process: `exited` tells how it ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerProcess {
  readonly pid: number
  readonly exited: Effect.Effect<string>
}

/**
 * Runs a program to its end and yields what it wrote; fails only when it cannot be executed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run = (
  command: Command
): Effect.Effect<{ readonly code: number | string; readonly text: string }, Error> =>
  Effect.callback<{ readonly code: number | string; readonly text: string }, Error>((resume) => {
    const chunks: Array<Buffer> = []
    const child = ChildProcess.spawn(command.program, command.arguments, {
      ...options(command),
      stdio: ["ignore", "pipe", "pipe"]
    })
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.on("error", (error) => resume(Effect.fail(error)))
    child.on("close", (code, signal) =>
      resume(Effect.succeed({ code: code ?? signal ?? "unknown", text: Buffer.concat(chunks).toString("utf8") }))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/**
 * Starts a program that outlives this process and that signals to the terminal's process group do not reach.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (command: Command, output: number): Effect.Effect<ServerProcess, Error> =>
  Effect.gen(function* () {
    const exited = yield* Deferred.make<string>()
    const pid = yield* Effect.callback<number, Error>((resume) => {
      const child = ChildProcess.spawn(command.program, command.arguments, {
        ...options(command),
        detached: true,
        stdio: ["ignore", output, output]
      })
      child.on("error", (error) => resume(Effect.fail(error)))
      child.on("exit", (code, signal) => {
        Deferred.doneUnsafe(exited, Effect.succeed(code === null ? `signal ${signal}` : `exit code ${code}`))
      })
      child.on("spawn", () => {
        child.unref()
        resume(Effect.succeed(child.pid ?? 0))
      })
    })
    return { pid, exited: Deferred.await(exited) }
  }).pipe(Effect.uninterruptible)

/**
 * Sends a signal and yields the code of the operating system's objection, if it has one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const signal = (pid: number, name: NodeJS.Signals | 0): Option.Option<string> =>
  Result.getFailure(
    Result.try({
      try: () => process.kill(pid, name),
      catch: (error) => (Predicate.hasProperty(error, "code") ? String(error.code) : String(error))
    })
  )

// --- internal ---

const options = (command: Command) => ({
  ...Option.getOrElse(command.account, () => ({})),
  cwd: "/",
  // Nothing of ours, so that no PG… or TZ variable changes what PostgreSQL does.
  env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" }
})
