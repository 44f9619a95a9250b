/**
 * Who uses the server? Every user keeps a unix socket listening in one directory, and is counted for as long as the
 * kernel answers for it: a killed user stops counting at once, one that hangs or is stopped still counts, and a restart
 * of the database behind it changes nothing. Entering, leaving and counting happen under the home's lock.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Crypto from "node:crypto"
import * as NodePath from "node:path"
import { fromFailure, fromPlatformError, type Reason } from "./EmbeddedPostgresError.ts"
import * as ServerAccount from "./ServerAccount.ts"
import * as UnixListener from "./UnixListener.ts"

/**
 * The file name length of a user's socket.
 *
 * @category constants
 * @since 0.1.0
 */
export const nameLength = 8

/**
 * Counts the caller as a user of the server until the entry is closed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const enter = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<UnixListener.UnixListener, Reason, FileSystem.FileSystem> {
  const entry = yield* Effect.suspend(() =>
    UnixListener.make(NodePath.join(directory, Crypto.randomBytes(nameLength / 2).toString("hex")))
  ).pipe(
    Effect.retry({ while: (error) => error.code === "EADDRINUSE" }),
    Effect.mapError((error) => fromFailure(directory, error))
  )
  // Root in a home of somebody else: the owner must be able to ask for root's socket as well.
  if (ServerAccount.isNeeded()) yield* ServerAccount.give(entry.address, yield* ServerAccount.ownerOf(directory))
  return entry
})

/**
 * Counts the living users and removes the marks of the dead.
 *
 * @category combinators
 * @since 0.1.0
 */
export const count = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<number, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory(directory).pipe(Effect.mapError(fromPlatformError(directory)))
  let alive = 0
  for (const name of names) {
    const address = NodePath.join(directory, name)
    if (yield* UnixListener.isAlive(address)) alive += 1
    else yield* Effect.ignore(fs.remove(address))
  }
  return alive
})
