/**
 * How far has a file been landed, and is it still the same file? A position is proved by content, never trusted: the hash
 * of what was landed is compared before anything is landed behind it. The identity of the file only saves the reading.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * What the file system says of a file without reading it; times in nanoseconds.
 *
 * @category models
 * @since 0.1.0
 */
export const FileIdentity = Schema.Struct({
  dev: Schema.String,
  ino: Schema.String,
  size: Schema.Int,
  mtime: Schema.String,
  ctime: Schema.String
})

/**
 * The type of `FileIdentity`.
 *
 * @category models
 * @since 0.1.0
 */
export type FileIdentity = typeof FileIdentity.Type

/**
 * The value of a file's position.
 *
 * @category models
 * @since 0.1.0
 */
export const FilePosition = Schema.Struct({
  version: Schema.Literal(1),
  /** The file was read to its end and did not change meanwhile. */
  isComplete: Schema.Boolean,
  /** Hash of the file as it is stored, when complete. */
  sha256: Schema.NullOr(Schema.String),
  /** How many decompressed bytes were landed, and the hash of them. */
  bytes: Schema.Int,
  prefix: Schema.String,
  /** The line on which the next byte lies. */
  line: Schema.Int,
  /** The last landed record has no line break yet: only a line break may follow it. */
  isOpen: Schema.Boolean,
  /**
   * The bytes behind the landed ones which decided how these are read: a quote that is never closed is known by what
   * follows. With `isEnd` it was the end of the file that decided.
   */
  ahead: Schema.NullOr(Schema.Struct({ bytes: Schema.Int, sha256: Schema.String, isEnd: Schema.Boolean })),
  /** An earlier content of the file was landed, so rows may be known already. */
  isRewritten: Schema.Boolean,
  /**
   * Contents of the file that were landed completely before it changed, the latest first. Copies of them may still lie
   * under other names.
   */
  earlier: Schema.optionalKey(Schema.Array(Schema.Struct({ size: Schema.Int, sha256: Schema.String }))),
  header: Schema.NullOr(Schema.Array(Schema.String)),
  /** The unknown columns that were reported. */
  reported: Schema.Array(Schema.String),
  identity: FileIdentity,
  /** When the identity was taken, in milliseconds. */
  identifiedAt: Schema.Number
})

/**
 * The type of `FilePosition`.
 *
 * @category models
 * @since 0.1.0
 */
export type FilePosition = typeof FilePosition.Type

/**
 * Decodes the value of a position; none where another kind of source wrote it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = Schema.decodeUnknownOption(FilePosition)

/**
 * The contents of a file that were landed completely, the latest first.
 *
 * **Details**
 *
 * A file that grows every day would make its position ever longer, so no more than 32 are remembered: a copy of an older
 * one lands again, which costs rows in the log and changes no result.
 *
 * @category getters
 * @since 0.1.0
 */
export const contents = ({
  earlier = [],
  identity,
  isComplete,
  sha256
}: FilePosition): NonNullable<FilePosition["earlier"]> =>
  isComplete && sha256 !== null ? [{ size: identity.size, sha256 }, ...earlier].slice(0, maxContents) : earlier

/**
 * Whether two identities are equal in everything.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSameIdentity = Schema.toEquivalence(FileIdentity)

/**
 * Whether a file is surely the one that was landed completely, without reading it.
 *
 * **Details**
 *
 * A file written again within the granularity of its times can look the same. So, as git does, an identity is believed
 * only when the file had been at rest for two seconds when it was taken.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUntouched = (self: FilePosition, identity: FileIdentity): boolean =>
  self.isComplete && isSameIdentity(self.identity, identity) && isAtRest(identity, self.identifiedAt)

/**
 * Whether a file had been at rest for two seconds when its identity was taken, at a time in milliseconds: any change
 * after that shows in its identity.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAtRest = (identity: FileIdentity, at: number): boolean =>
  at - Number(BigInt(identity.mtime) / 1_000_000n) >= restingMillis

// --- internal ---

const restingMillis = 2000

const maxContents = 32
