/**
 * What did the server say? It appends to one file per home, from which errors quote the last lines.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeFs from "node:fs"
import { fromFailure, fromPlatformError, type Reason } from "./EmbeddedPostgresError.ts"
import * as ServerAccount from "./ServerAccount.ts"
import type { ServerHome } from "./ServerHome.ts"

/**
 * An open log: its file descriptor, and what the server has said since it was opened.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerLog {
  readonly descriptor: number
  readonly words: Effect.Effect<string>
}

/**
 * Opens the log of a home for a new server; beyond 10 MB the old one moves aside, replacing the one before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (
  home: ServerHome
): Effect.fn.Return<ServerLog, Reason, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const size = fs.stat(home.log).pipe(
    Effect.map((info) => info.size),
    Effect.orElseSucceed(() => ByteSize.zero)
  )
  if (ByteSize.isGreaterThan(yield* size, rotation)) {
    yield* fs.rename(home.log, `${home.log}.1`).pipe(Effect.mapError(fromPlatformError(home.log)))
  }
  const descriptor = yield* Effect.acquireRelease(openAppending(home.log), (descriptor) =>
    Effect.sync(() => NodeFs.closeSync(descriptor))
  )
  yield* ServerAccount.give(home.log, home.account)
  const offset = yield* size
  const words = fs.stream(home.log, { offset }).pipe(
    Stream.decodeText(),
    Stream.mkString,
    Effect.orElseSucceed(() => "")
  )
  return { descriptor, words }
})

// --- internal ---

const rotation = ByteSize.megabytes(10)

/** Root appends where others may have planted a link: follow none. */
const openAppending = (path: string) =>
  Effect.callback<number, Reason>((resume) => {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = NodeFs.constants
    NodeFs.open(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600, (error, descriptor) =>
      resume(error === null ? Effect.succeed(descriptor) : Effect.fail(fromFailure(path, error)))
    )
  })
