/**
 * Is there a database in the home, and can we run it? Makes the data directory aside and renames it, so that it is whole
 * or not there whenever its maker dies, and refuses the data of another major version.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Crypto from "node:crypto"
import * as NodePath from "node:path"
import { fromPlatformError, fromWords, HomeUnusable, type Reason, VersionMismatch } from "./EmbeddedPostgresError.ts"
import * as PostgresBinaries from "./PostgresBinaries.ts"
import * as ServerAccount from "./ServerAccount.ts"
import type { ServerHome } from "./ServerHome.ts"
import * as ServerProcess from "./ServerProcess.ts"

/**
 * How much a crash of the machine may lose: nothing, or everything (for tests).
 *
 * @category models
 * @since 0.1.0
 */
export type Durability = "full" | "none"

/**
 * The role that owns the database.
 *
 * @category constants
 * @since 0.1.0
 */
export const username = "assay"

/**
 * Makes the data directory of a home unless it is there, and checks that the binaries can run it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ensure = Effect.fnUntraced(function* (
  home: ServerHome,
  binaries: PostgresBinaries.PostgresBinaries,
  durability: Durability
): Effect.fn.Return<void, Reason, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  yield* sweep(home)
  const isThere = yield* fs.exists(home.data).pipe(Effect.mapError(fromPlatformError(home.data)))
  return yield* isThere ? check(home, binaries) : create(home, binaries, durability)
})

// --- internal ---

const unfinished = "unfinished-"

/** Under the home's lock, whoever was making these is dead. One of its programs may still write: then it is left alone. */
const sweep = Effect.fnUntraced(function* (home: ServerHome) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory(home.directory).pipe(Effect.mapError(fromPlatformError(home.directory)))
  for (const name of names.filter((name) => name.startsWith(unfinished))) {
    yield* Effect.ignore(fs.remove(NodePath.join(home.directory, name), { recursive: true, force: true }))
  }
})

const check = Effect.fnUntraced(function* (home: ServerHome, binaries: PostgresBinaries.PostgresBinaries) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs
    .readFileString(NodePath.join(home.data, "PG_VERSION"))
    .pipe(
      Effect.mapError((error) =>
        error.reason._tag === "NotFound" ? foreign(home) : fromPlatformError(home.data)(error)
      )
    )
  const found = text.trim()
  const expected = PostgresBinaries.major(binaries)
  if (found === expected) return
  return yield* new VersionMismatch({
    found,
    expected,
    path: home.data,
    message:
      `${home.data} holds data of PostgreSQL ${found}, and this version of Assay brings PostgreSQL ${expected}. Use the ` +
      `version of Assay that made it, or move the directory away and load your sources again.`
  })
})

const foreign = (home: ServerHome) =>
  new HomeUnusable({
    path: home.data,
    message: `${home.data} exists but is not a PostgreSQL data directory. Move it away, or choose another home (ASSAY_HOME).`
  })

const create = Effect.fnUntraced(function* (
  home: ServerHome,
  binaries: PostgresBinaries.PostgresBinaries,
  durability: Durability
) {
  const fs = yield* FileSystem.FileSystem
  const failed = Effect.mapError(fromPlatformError(home.data))
  const aside = NodePath.join(home.directory, `${unfinished}${Crypto.randomBytes(4).toString("hex")}`)
  yield* Effect.logDebug(`making a database in ${home.data}`)
  yield* failed(fs.makeDirectory(aside, { mode: 0o700 }))
  yield* ServerAccount.give(aside, home.account)
  const { code, text } = yield* ServerProcess.run({
    program: PostgresBinaries.program(binaries, "initdb"),
    arguments: [
      `--pgdata=${aside}`,
      "--locale=C",
      "--encoding=UTF8",
      `--username=${username}`,
      "--auth-local=trust",
      "--auth-host=reject",
      ...(durability === "none" ? ["--no-sync"] : [])
    ],
    account: home.account
  }).pipe(Effect.mapError((error) => PostgresBinaries.notExecutable(binaries, error)))
  if (code === 0) return yield* failed(fs.rename(aside, home.data))
  yield* sweep(home)
  return yield* fromWords(home.data, `PostgreSQL could not make the database (initdb, ${code})`, text)
})
