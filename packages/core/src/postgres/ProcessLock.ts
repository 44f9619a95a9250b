/**
 * Whose turn is it? Node has no `flock`, and a lock file with a process id in it is wrong twice: ids are reused, and two
 * processes that find the same dead owner can both take its place. So this lock is a thing that the kernel gives to one
 * and takes back at death: on Linux an abstract unix socket address (no file, nothing stale, one per network namespace),
 * on macOS and the BSDs a file opened with `O_EXLOCK`. It excludes the fibers of one process from each other as well.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import { fromFailure, type Reason, TimedOut } from "./EmbeddedPostgresError.ts"
import * as UnixListener from "./UnixListener.ts"

/**
 * Runs an effect while no other process, and no other fiber, runs one under the same file name.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withLock =
  (options: { readonly file: string; readonly wait: Duration.Duration }) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Reason, R> =>
    // A scope of the lock's own, so that what `self` acquires outlives the lock.
    Effect.scopedWith((scope) =>
      tryAcquire(options.file).pipe(
        Effect.repeat({ until: identity<boolean>, schedule: patience }),
        Effect.timeoutOrElse({ duration: options.wait, orElse: () => Effect.fail(overdue(options.file)) }),
        Scope.provide(scope),
        Effect.andThen(self)
      )
    )

// --- internal ---

/** Soon at first, since joining takes a few milliseconds; then at most every 20 ms. */
const patience = Schedule.min([Schedule.exponential("1 millis"), Schedule.spaced("20 millis")])

const overdue = (file: string) =>
  new TimedOut({
    message:
      `another process has been starting or stopping the server for too long (its lock is ${file}). ` +
      "End that process, or wait for it and try again."
  })

const tryAcquire = (file: string): Effect.Effect<boolean, Reason, Scope.Scope> =>
  process.platform === "linux" ? tryBind(file) : tryOpen(file)

const tryBind = (file: string) =>
  // A unix address is 108 bytes at most, the zero byte that makes it abstract included.
  Effect.acquireRelease(
    UnixListener.make(`\0assay-${Crypto.createHash("sha256").update(file).digest("hex")}`),
    (listener) => listener.close
  ).pipe(
    Effect.as(true),
    Effect.catch((error) =>
      error.code === "EADDRINUSE" ? Effect.succeed(false) : Effect.fail(fromFailure(file, error))
    )
  )

/** `O_EXLOCK` as macOS and the BSDs number it; Node has no name for it. */
const exclusiveLock = 0x20

const tryOpen = (file: string) =>
  Effect.acquireRelease(
    Effect.callback<number, NodeJS.ErrnoException>((resume) => {
      const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = Fs.constants
      Fs.open(file, O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK | exclusiveLock, 0o600, (error, descriptor) =>
        resume(error === null ? Effect.succeed(descriptor) : Effect.fail(error))
      )
    }),
    (descriptor) => Effect.sync(() => Fs.closeSync(descriptor))
  ).pipe(
    Effect.as(true),
    Effect.catch((error) => (error.code === "EAGAIN" ? Effect.succeed(false) : Effect.fail(fromFailure(file, error))))
  )
