/**
 * Which files stand behind a path? A file, the data files of a folder, or what a glob matches: each with an origin that
 * stays the same wherever the application runs.
 *
 * @since 0.1.0
 */
import type { BigIntStats } from "node:fs"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { SourceError } from "../Source.ts"
import type { FileIdentity } from "./FilePosition.ts"

/**
 * A file of a set.
 *
 * @category models
 * @since 0.1.0
 */
export interface File {
  /** The path below the root of the set, with `/` between names. */
  readonly origin: string
  readonly path: string
  readonly identity: FileIdentity
}

/**
 * The endings that a folder is searched for.
 *
 * @category models
 * @since 0.1.0
 */
export const endings: ReadonlyArray<string> = [".csv", ".ndjson", ".jsonl", ".csv.gz", ".ndjson.gz", ".jsonl.gz"]

/**
 * Lists the files behind a path, in the order of their origins.
 *
 * **Details**
 *
 * What exists under the path is a file or a folder, even if its name has characters of a glob. A folder stands for the
 * data files directly in it, known by their endings; hidden ones (`.name`) are left out. A glob stands for every file it
 * matches, `feed/**` for those at any depth. The root, against which origins are told, is the folder itself, the folder of the file, or the part
 * of the glob before its first pattern: so `feed/a.csv` is `a.csv` whether `feed`, `feed/a.csv` or `feed/*.csv` is given.
 * Finding nothing is an error, for an empty result would hide a mistyped path; so is a link to nothing, a pipe or a socket.
 *
 * @category getters
 * @since 0.1.0
 */
export const list = Effect.fn("FileSet.list")(function* (path: string, setting: string) {
  const place = yield* locate(path, setting)
  const { files } = yield* Effect.repeat(present(place, path), { until: ({ isSettled }) => isSettled, times: 2 })
  if (files.length === 0) {
    return yield* unreadable(
      path,
      place.kind === "glob"
        ? `No file matches "${path}" below ${place.root}. Correct ${setting}, or put a file there.`
        : `The folder "${path}" (${place.root}) holds no data file. Expected are files ending in ${endings.join(", ")}; ` +
            `folders inside it are not searched (a glob such as "${path}/**" does). Put one there, or correct ${setting}.`
    )
  }
  return files
})

/**
 * Finds the path of an origin again.
 *
 * @category getters
 * @since 0.1.0
 */
export const pathOf = (path: string, origin: string, setting: string): Effect.Effect<string, SourceError> =>
  Effect.map(locate(path, setting), ({ root }) => Path.join(root, origin))

/**
 * What the file system says of an open or a named file.
 *
 * @category getters
 * @since 0.1.0
 */
export const identityOf = (stat: BigIntStats): FileIdentity => ({
  dev: String(stat.dev),
  ino: String(stat.ino),
  size: Number(stat.size),
  mtime: String(stat.mtimeNs),
  ctime: String(stat.ctimeNs)
})

/**
 * Tells a failure of the file system as one of the source; some pass with time.
 *
 * @category errors
 * @since 0.1.0
 */
export const fromSystem =
  (origin: string, path: string) =>
  (error: unknown): SourceError => {
    const code = codeOf(error)
    const reason = reasons.get(code) ?? (error instanceof Error ? error.message : String(error))
    return new SourceError({
      origin,
      kind: transient.has(code) ? "Transient" : "Unreadable",
      message: `${path} cannot be read: ${reason}`
    })
  }

// --- internal ---

/** The files that were there when they were looked at. One renamed meanwhile is found under its new name the next time. */
const present = Effect.fnUntraced(function* (place: Place, path: string) {
  const origins = yield* originsAt(place, path)
  const found = yield* Effect.forEach(origins, (origin) => fileAt(place.root, origin), { concurrency: 16 })
  const files = found.filter((file) => file !== undefined)
  return { files, isSettled: files.length === origins.length }
})

interface Place {
  readonly kind: "file" | "folder" | "glob"
  readonly root: string
  /** What to look for below the root. */
  readonly rest: string
}

const locate = Effect.fnUntraced(function* (path: string, setting: string) {
  const absolute = Path.resolve(path)
  const stat = yield* statOf(absolute)
  if (stat?.isDirectory()) return { kind: "folder", root: absolute, rest: "" } satisfies Place
  if (stat?.isFile()) {
    return { kind: "file", root: Path.dirname(absolute), rest: Path.basename(absolute) } satisfies Place
  }
  if (stat !== undefined) {
    return yield* unreadable(path, `"${path}" is neither a file nor a folder. Correct ${setting}.`)
  }
  if (magic.test(path)) return globPlace(absolute)
  return yield* unreadable(
    path,
    `There is nothing at "${path}"${path === absolute ? "" : ` (${absolute})`}. Set ${setting} to a file, a folder or a glob that exists.`
  )
})

const globPlace = (absolute: string): Place => {
  const names = absolute.split(Path.sep)
  const first = names.findIndex((name) => magic.test(name))
  return { kind: "glob", root: names.slice(0, first).join(Path.sep) || Path.sep, rest: names.slice(first).join("/") }
}

const magic = /[*?[{]/

const originsAt = (place: Place, path: string): Effect.Effect<ReadonlyArray<string>, SourceError> => {
  if (place.kind === "file") return Effect.succeed([place.rest])
  const found =
    place.kind === "glob"
      ? Stream.runCollect(Stream.fromAsyncIterable(Fs.glob(place.rest, { cwd: place.root }), fromSystem(path, path)))
      : dataFilesIn(place.root)
  return Effect.map(found, (origins) =>
    [...new Set(origins.map((origin) => origin.split(Path.sep).join("/")))].toSorted((a, b) =>
      a < b ? -1 : a > b ? 1 : 0
    )
  )
}

/** A folder may keep other things in folders of its own: what a person checked, archived, or expects. */
const dataFilesIn = Effect.fnUntraced(function* (folder: string) {
  const entries = yield* attempt(folder, () => Fs.readdir(folder, { withFileTypes: true }))
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".") && isDataFile(entry.name))
    .map(({ name }) => name)
})

const isDataFile = (name: string): boolean => endings.some((ending) => name.toLowerCase().endsWith(ending))

/**
 * Undefined for a folder that a glob matches, and for a file that went away since it was listed. What could hold no data
 * although it is named like data is told, not passed over.
 */
const fileAt = Effect.fnUntraced(function* (root: string, origin: string) {
  const path = Path.join(root, origin)
  const stat = yield* statOf(path)
  if (stat?.isFile() === true) return { origin, path, identity: identityOf(stat) } satisfies File
  if (stat !== undefined && !stat.isDirectory()) {
    return yield* unreadable(origin, `${path} is neither a file nor a folder but a pipe or a device. Remove it.`)
  }
  const isLink = stat === undefined && (yield* linkAt(path)) !== undefined
  if (isLink) return yield* unreadable(origin, `${path} is a link to nothing. Mend the link, or remove it.`)
  // A name that is not UTF-8 is listed with replacement characters, and is not found under them.
  if (stat === undefined && origin.includes("\uFFFD")) {
    return yield* unreadable(origin, `${path} cannot be read: its name is not UTF-8. Rename the file.`)
  }
  return undefined
})

/** The target of a link; undefined for whatever is none. */
const linkAt = (path: string): Effect.Effect<string | undefined> =>
  Effect.orElseSucceed(
    attempt(path, () => Fs.readlink(path)),
    () => undefined
  )

const statOf = (path: string): Effect.Effect<BigIntStats | undefined, SourceError> =>
  whereExists(path, () => Fs.stat(path, { bigint: true }))

const attempt = <A>(path: string, promise: () => Promise<A>): Effect.Effect<A, SourceError> =>
  Effect.tryPromise({ try: promise, catch: fromSystem(path, path) })

const whereExists = <A>(path: string, promise: () => Promise<A>): Effect.Effect<A | undefined, SourceError> =>
  Effect.tryPromise({
    try: promise,
    catch: (error) => ({ isAbsent: absent.has(codeOf(error)), error: fromSystem(path, path)(error) })
  }).pipe(Effect.catch(({ error, isAbsent }) => (isAbsent ? Effect.succeed(undefined) : Effect.fail(error))))

const unreadable = (origin: string, message: string) => new SourceError({ origin, kind: "Unreadable", message })

const codeOf = (error: unknown): string =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : ""

const absent: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"])
const transient: ReadonlySet<string> = new Set(["EAGAIN", "EBUSY", "EIO", "EMFILE", "ENFILE", "ESTALE", "ETIMEDOUT"])
const reasons: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission was denied. Let the user who runs this read it."],
  ["EPERM", "permission was denied. Let the user who runs this read it."],
  ["ENOENT", "it is not there (any more)."],
  ["EISDIR", "it is a folder now. Put the file back, then land it again."],
  ["ELOOP", "its links lead in a circle. Mend the links, or remove them."],
  ["ENAMETOOLONG", "its path is too long for the file system. Shorten it."],
  ["ENXIO", "it is a socket or a device, not a file. Remove it."],
  ["EMFILE", "too many files are open."]
])
