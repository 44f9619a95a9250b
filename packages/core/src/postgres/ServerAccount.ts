/**
 * As whom does PostgreSQL run? As ourselves, except under root, which PostgreSQL refuses: then as an account without
 * privileges, and everything that the server must reach has to be open to that account.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fromFailure, type Reason } from "./EmbeddedPostgresError.ts"

/**
 * An operating system account, by number.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerAccount {
  readonly uid: number
  readonly gid: number
}

/**
 * Whether this process is root and the server therefore needs another account.
 *
 * @category guards
 * @since 0.1.0
 */
export const isNeeded = (): boolean => process.geteuid?.() === 0

/**
 * The account for a server's directory: the owner of its data, so that a `postgres` account installed later changes
 * nothing; else the directory's own owner; else `postgres`, `nobody` or 65534, whichever exists first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const forDirectory = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<ServerAccount, never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  for (const path of [NodePath.join(directory, "data"), directory]) {
    const owner = yield* ownerOf(path)
    if (Option.isSome(owner) && owner.value.uid !== 0) return owner.value
  }
  const accounts = yield* fs.readFileString("/etc/passwd").pipe(Effect.orElseSucceed(() => ""))
  return named(accounts, "postgres") ?? named(accounts, "nobody") ?? { uid: 65534, gid: 65534 }
})

/**
 * The account that a file or directory belongs to, when it exists.
 *
 * @category getters
 * @since 0.1.0
 */
export const ownerOf = (path: string): Effect.Effect<Option.Option<ServerAccount>, never, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) => fs.stat(path)).pipe(
    Effect.map((info) => Option.all({ uid: info.uid, gid: info.gid })),
    Effect.orElseSucceed(() => Option.none())
  )

/**
 * Whether the account can enter a directory and use what is in it, as far as the permission bits tell.
 *
 * @category guards
 * @since 0.1.0
 */
export const canEnter: (
  account: ServerAccount,
  directory: string
) => Effect.Effect<boolean, PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(function* (account, directory) {
  const fs = yield* FileSystem.FileSystem
  let current = directory
  while (true) {
    if (!mayExecute(account, yield* fs.stat(current))) return false
    const parent = NodePath.dirname(current)
    if (parent === current) return true
    current = parent
  }
})

/**
 * Makes a directory that every account may enter, whatever our umask; one that exists stays as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeOpenDirectory: (path: string) => Effect.Effect<void, PlatformError, FileSystem.FileSystem> =
  Effect.fnUntraced(function* (path) {
    const fs = yield* FileSystem.FileSystem
    if (yield* fs.exists(path)) return
    yield* fs.makeDirectory(path, { recursive: true })
    yield* fs.chmod(path, 0o755)
  })

/**
 * Gives a file or directory to the account; a symbolic link is given itself, never what it points to.
 *
 * @category combinators
 * @since 0.1.0
 */
export const give = (path: string, account: Option.Option<ServerAccount>): Effect.Effect<void, Reason> =>
  Option.match(account, {
    onNone: () => Effect.void,
    onSome: ({ gid, uid }) =>
      Effect.callback<void, Reason>((resume) =>
        NodeFs.lchown(path, uid, gid, (error) =>
          resume(error === null ? Effect.void : Effect.fail(fromFailure(path, error)))
        )
      )
  })

// --- internal ---

const named = (accounts: string, name: string): ServerAccount | undefined => {
  const [, , uid, gid] =
    accounts
      .split("\n")
      .find((line) => line.startsWith(`${name}:`))
      ?.split(":") ?? []
  // macOS writes nobody as -2, which the system calls want unsigned.
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
}

const mayExecute = (account: ServerAccount, info: FileSystem.File.Info): boolean => {
  const shift = isSome(info.uid, account.uid) ? 6 : isSome(info.gid, account.gid) ? 3 : 0
  return ((info.mode >> shift) & 1) === 1
}

const isSome = (option: Option.Option<number>, value: number): boolean =>
  Option.isSome(option) && option.value === value
