/**
 * Where does the embedded server live? Everything follows from the home's real path, so that every process finds the
 * same places: data and log in `<home>/postgres`, sockets there too unless the path is too long for a unix socket, and
 * the whole elsewhere when we are root and the server's account cannot enter the home.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Crypto from "node:crypto"
import * as Os from "node:os"
import * as NodePath from "node:path"
import { fromPlatformError, HomeUnusable, type Reason } from "./EmbeddedPostgresError.ts"
import * as Occupancy from "./Occupancy.ts"
import * as ServerAccount from "./ServerAccount.ts"

/**
 * The places of one embedded server.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerHome {
  /** Holds the rest; ours to write, the server's account may pass through it. */
  readonly directory: string
  readonly data: string
  readonly log: string
  readonly lock: string
  /** Names the server that was told to stop, so that nobody joins it any more. */
  readonly condemned: string
  /** Where private copies of the binaries go. */
  readonly copies: string
  readonly account: Option.Option<ServerAccount.ServerAccount>
}

/**
 * The directories of the sockets: the server's own, and one for its users to be counted in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sockets {
  readonly server: string
  readonly users: string
}

/**
 * The port that names the server's socket file; nothing listens on the network.
 *
 * @category constants
 * @since 0.1.0
 */
export const port = 5432

/**
 * Finds and creates the places of a home.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  home: string,
  stateDirectory: string
): Effect.fn.Return<ServerHome, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const failed = Effect.mapError(fromPlatformError(home))
  yield* failed(fs.makeDirectory(home, { recursive: true }))
  const real = yield* failed(fs.realPath(home))
  const inside = NodePath.join(real, "postgres")
  if (!ServerAccount.isNeeded()) {
    yield* makeOwn(inside, { mode: 0o700, account: Option.none() })
    return places(inside, stateDirectory, Option.none())
  }
  const directory = yield* choose(inside, NodePath.join(stateDirectory, fingerprint(real)))
  const account = yield* ServerAccount.forDirectory(directory)
  yield* makeOwn(directory, { mode: 0o711, account: Option.some(account) })
  if (!(yield* failed(ServerAccount.canEnter(account, directory)))) {
    return yield* new HomeUnusable({
      path: directory,
      message:
        `PostgreSQL does not run as root, and the account ${account.uid} that owns its data cannot enter ${directory}. ` +
        "Give the directories on the way the permission to pass (chmod o+x), or run as another user than root."
    })
  }
  return places(directory, stateDirectory, Option.some(account))
})

/**
 * Finds and creates the directories of the sockets: where the last server recorded its own, since users of a server that
 * died may still be counted there; else inside the home, or under the directory for temporary files if that is shorter.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sockets = Effect.fnUntraced(function* (
  self: ServerHome,
  recorded: Option.Option<string>
): Effect.fn.Return<Sockets, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const known = Option.map(recorded, (directory) => NodePath.dirname(directory))
  const isKnown = Option.isSome(known) && (yield* Effect.orElseSucceed(fs.exists(known.value), () => false))
  const base = isKnown ? known.value : socketBase(self.directory)
  if (base !== self.directory) {
    yield* makeOwn(base, { mode: Option.isSome(self.account) ? 0o711 : 0o700, account: self.account })
  }
  const server = NodePath.join(base, "run")
  const users = NodePath.join(base, "users")
  yield* makeOwn(users, { mode: 0o700, account: self.account })
  yield* makeOwn(server, { mode: 0o700, account: self.account })
  yield* ServerAccount.give(server, self.account)
  if (Option.isSome(self.account)) yield* ServerAccount.give(users, yield* ServerAccount.ownerOf(base))
  return { server, users }
})

// --- internal ---

const places = (
  directory: string,
  copies: string,
  account: Option.Option<ServerAccount.ServerAccount>
): ServerHome => ({
  directory,
  data: NodePath.join(directory, "data"),
  log: NodePath.join(directory, "server.log"),
  lock: NodePath.join(directory, "lock"),
  condemned: NodePath.join(directory, "condemned"),
  copies,
  account
})

const fingerprint = (path: string): string => Crypto.createHash("sha256").update(path).digest("hex").slice(0, 16)

/** Data stays where it is; a new home takes the inside when an account without privileges can enter it. */
const choose = Effect.fnUntraced(function* (inside: string, outside: string) {
  const fs = yield* FileSystem.FileSystem
  const failed = Effect.mapError(fromPlatformError(outside))
  if (yield* failed(fs.exists(NodePath.join(inside, "data")))) return inside
  const account = yield* ServerAccount.forDirectory(inside)
  const home = NodePath.dirname(inside)
  if (!(yield* failed(fs.exists(outside))) && (yield* failed(ServerAccount.canEnter(account, home)))) return inside
  yield* Effect.logInfo(`the server's account cannot enter ${home}, so the database is in ${outside}`)
  yield* failed(ServerAccount.makeOpenDirectory(NodePath.dirname(outside)))
  return outside
})

/**
 * Makes a directory, or checks that the one that stands there is ours or the server's: what lies under the directory for
 * temporary files may have been planted by others.
 */
const makeOwn = Effect.fnUntraced(function* (
  path: string,
  options: { readonly mode: number; readonly account: Option.Option<ServerAccount.ServerAccount> }
) {
  const fs = yield* FileSystem.FileSystem
  const failed = Effect.mapError(fromPlatformError(path))
  yield* fs.makeDirectory(path).pipe(
    Effect.andThen(fs.chmod(path, options.mode)),
    Effect.catchIf(
      (error) => error.reason._tag === "AlreadyExists",
      () => Effect.void
    ),
    failed
  )
  const { mode, type, uid } = yield* failed(fs.lstat(path))
  const owners = [process.geteuid?.(), ...Option.toArray(Option.map(options.account, (account) => account.uid))]
  if (type === "Directory" && owners.includes(Option.getOrUndefined(uid)) && (mode & 0o022) === 0) return
  return yield* new HomeUnusable({
    path,
    message:
      `${path} is ${type === "Directory" ? "owned by another user, or writable by others" : "not a directory"}. ` +
      "Run as its owner, correct its owner and permissions, or choose another home (ASSAY_HOME)."
  })
})

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero. */
const longest = process.platform === "linux" ? 107 : 103

const socketBase = (directory: string): string => {
  const name = `assay-${fingerprint(directory)}`
  const candidates = [directory, NodePath.join(Os.tmpdir(), name)]
  return candidates.find(isShort) ?? NodePath.join("/tmp", name)
}

const isShort = (base: string): boolean =>
  [`run/.s.PGSQL.${port}`, `users/${"x".repeat(Occupancy.nameLength)}`].every(
    (file) => Buffer.byteLength(NodePath.join(base, file)) <= longest
  )
