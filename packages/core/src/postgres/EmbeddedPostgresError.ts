/**
 * Why the embedded PostgreSQL cannot be used, and what a person does about it. One error with a tagged reason, each of
 * which carries a message for people; `DATABASE_URL` in them is the command line's way to use a server instead.
 */
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * No PostgreSQL is packaged for this operating system and processor.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnsupportedPlatform extends Schema.TaggedError<UnsupportedPlatform>(
  "@assay/core/postgres/UnsupportedPlatform"
)("UnsupportedPlatform", { platform: Schema.String, arch: Schema.String, message: Schema.String }) {}

/**
 * The packaged PostgreSQL is missing, incomplete, or cannot be executed here.
 *
 * @category errors
 * @since 0.1.0
 */
export class BinariesUnusable extends Schema.TaggedError<BinariesUnusable>("@assay/core/postgres/BinariesUnusable")(
  "BinariesUnusable",
  { message: Schema.String }
) {}

/**
 * A file or directory of the home cannot be created, read or written, or belongs to somebody else.
 *
 * @category errors
 * @since 0.1.0
 */
export class HomeUnusable extends Schema.TaggedError<HomeUnusable>("@assay/core/postgres/HomeUnusable")(
  "HomeUnusable",
  {
    path: Schema.String,
    message: Schema.String
  }
) {}

/**
 * The disk that holds the home is full.
 *
 * @category errors
 * @since 0.1.0
 */
export class DiskFull extends Schema.TaggedError<DiskFull>("@assay/core/postgres/DiskFull")("DiskFull", {
  path: Schema.String,
  message: Schema.String
}) {}

/**
 * The data directory was written by another major version of PostgreSQL.
 *
 * @category errors
 * @since 0.1.0
 */
export class VersionMismatch extends Schema.TaggedError<VersionMismatch>("@assay/core/postgres/VersionMismatch")(
  "VersionMismatch",
  { found: Schema.String, expected: Schema.String, path: Schema.String, message: Schema.String }
) {}

/**
 * PostgreSQL refused to start or to answer; the message ends with its own last words.
 *
 * @category errors
 * @since 0.1.0
 */
export class StartRefused extends Schema.TaggedError<StartRefused>("@assay/core/postgres/StartRefused")(
  "StartRefused",
  {
    message: Schema.String
  }
) {}

/**
 * The server, or another process that starts or stops it, took longer than the caller wanted to wait.
 *
 * @category errors
 * @since 0.1.0
 */
export class TimedOut extends Schema.TaggedError<TimedOut>("@assay/core/postgres/TimedOut")("TimedOut", {
  message: Schema.String
}) {}

/**
 * The reasons for which the embedded PostgreSQL cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  UnsupportedPlatform,
  BinariesUnusable,
  HomeUnusable,
  DiskFull,
  VersionMismatch,
  StartRefused,
  TimedOut
])

/**
 * The reasons for which the embedded PostgreSQL cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * The embedded PostgreSQL of one home cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>(
  "@assay/core/postgres/EmbeddedPostgresError"
)("EmbeddedPostgresError", {
  home: Schema.String,
  reason: Reason
}) {
  override get message(): string {
    return `Embedded PostgreSQL in ${this.home}: ${this.reason.message}`
  }
}

/**
 * The reason behind a failed file operation, told with the path it failed on.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromFailure = (path: string, cause: unknown): HomeUnusable | DiskFull => {
  const code = Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : "unknown error"
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(path)
  const known = sentences[code]
  const message =
    known ?? `the operating system refused it (${code}${cause instanceof Error ? `, ${cause.message}` : ""})`
  return new HomeUnusable({
    path,
    message: `${path} cannot be used: ${message}. Make it writable, or choose another home (ASSAY_HOME).`
  })
}

/**
 * The same for an error of the platform's services.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromPlatformError =
  (path: string) =>
  (error: PlatformError): HomeUnusable | DiskFull =>
    fromFailure(path, error.reason.cause)

/**
 * The reason for a disk without room.
 *
 * @category constructors
 * @since 0.1.0
 */
export const diskFull = (path: string): DiskFull =>
  new DiskFull({
    path,
    message: `no space is left on the disk of ${path}. Free some, or choose another home (ASSAY_HOME).`
  })

/**
 * The reason behind PostgreSQL's own last words, which go into the message.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromWords = (path: string, summary: string, words: string): StartRefused | DiskFull => {
  if (/No space left on device|Disk quota exceeded/.test(words)) return diskFull(path)
  const lines = words.trim() === "" ? ["nothing"] : words.trimEnd().split("\n").slice(-wordsKept)
  return new StartRefused({ message: [`${summary}. It said:`, ...lines].join("\n  ") })
}

// --- internal ---

const wordsKept = 10

const sentences: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of the path is a file, not a directory",
  EEXIST: "something that is not a directory stands there",
  ENOENT: "it does not exist and cannot be made",
  ELOOP: "it is a symbolic link where a directory or file is expected",
  ENAMETOOLONG: "the path is too long",
  EMFILE: "this process has too many open files"
}
