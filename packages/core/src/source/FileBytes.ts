/**
 * What are the bytes of a file, decompressed, and did the file hold still while they were read? Bytes are read as they
 * are asked for, so that memory stays the same however large the file is or however well it is compressed. Where the file
 * is rewritten meanwhile, they end: what follows would go on in the middle of another record.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import { constants } from "node:fs"
import * as Fs from "node:fs/promises"
import { createGunzip } from "node:zlib"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { SourceError } from "../Source.ts"
import { type FileIdentity, isAtRest, isSameIdentity } from "./FilePosition.ts"
import { type File, fromSystem, identityOf } from "./FileSet.ts"

/**
 * An open file.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileBytes {
  readonly identity: FileIdentity
  /** The decompressed bytes, to be run once; they end early where the file is rewritten meanwhile. */
  readonly chunks: Stream.Stream<Buffer, SourceError>
  /** What is known once the chunks were read to their end. */
  readonly finish: Effect.Effect<Finished, SourceError>
}

/**
 * What is known of a file that was read to its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finished {
  /** The file is no longer what it was when it was opened, so the bytes may be of two versions. */
  readonly hasChanged: boolean
  readonly identity: FileIdentity
  /** Hash of the file as it is stored. */
  readonly sha256: string
}

/**
 * Opens a file until the scope closes.
 *
 * **Details**
 *
 * A file is decompressed when it begins like gzip. One that is named `.gz` but does not begin so is an error, as is gzip
 * that ends in its middle or has something else behind its end: what came before the error was delivered by then.
 *
 * A file that changes may have grown or may have been rewritten. So the last bytes are read once more when it has changed
 * since they were read, or may have without a sign of it, because it was not at rest.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (file: Place): Effect.fn.Return<FileBytes, SourceError, Scope.Scope> {
  const stored = yield* openStored(file)
  if (stored.isGzip) return decompressed(stored, file)
  if (stored.size() > 0 && file.origin.toLowerCase().endsWith(".gz")) {
    return yield* unreadable(file, "is named .gz but is not gzip. Compress it, or name it for what it is.")
  }
  return stored
})

/**
 * The hash of a file as it is stored; undefined where the file changed while it was read.
 *
 * @category getters
 * @since 0.1.0
 */
export const sha256 = (file: Place): Effect.Effect<string | undefined, SourceError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const stored = yield* openStored(file)
      yield* Stream.runDrain(stored.chunks)
      const finished = yield* stored.finish
      return finished.hasChanged ? undefined : finished.sha256
    })
  )

// --- internal ---

type Place = Pick<File, "origin" | "path">

const chunkBytes = 256 * 1024

interface Stored extends FileBytes {
  readonly isGzip: boolean
  /** How many bytes were read. */
  readonly size: () => number
  /** Reads from an offset, without a part in what `chunks` reads. */
  readonly readAt: (offset: number) => Effect.Effect<Buffer, SourceError>
}

const openStored = Effect.fnUntraced(function* (file: Place): Effect.fn.Return<Stored, SourceError, Scope.Scope> {
  const attempt = <A>(promise: () => Promise<A>) =>
    Effect.tryPromise({ try: promise, catch: fromSystem(file.origin, file.path) })
  const handle = yield* Effect.acquireRelease(
    // A pipe that has come to lie where the file was would be waited for until somebody writes into it.
    attempt(() => Fs.open(file.path, constants.O_RDONLY | constants.O_NONBLOCK)),
    (handle) => Effect.ignore(attempt(() => handle.close()))
  )
  const stat = attempt(() => handle.stat({ bigint: true }))
  const opened = yield* stat
  if (!opened.isFile()) return yield* unreadable(file, "is not a file any more. Put the file back, then land it again.")
  const identity = identityOf(opened)
  const identify = Effect.map(stat, identityOf)
  const readFrom = (offset: number) =>
    Effect.map(
      attempt(() => handle.read(Buffer.allocUnsafeSlow(chunkBytes), 0, chunkBytes, offset)),
      ({ buffer, bytesRead }) => buffer.subarray(0, bytesRead)
    )
  const isStill = (bytes: Buffer, offset: number) =>
    bytes.length === 0
      ? Effect.succeed(true)
      : Effect.map(readFrom(offset), (now) => now.subarray(0, bytes.length).equals(bytes))

  const hash = createHash("sha256")
  let size = 0
  let last = nothing
  let known = identity
  let wouldShow = false
  let isRewritten = false
  const read = Effect.gen(function* () {
    const bytes = yield* readFrom(size)
    const now = yield* identify
    if (bytes.length > 0 && (!wouldShow || !isSameIdentity(known, now))) {
      const at = yield* Clock.currentTimeMillis
      // Bytes that are the same on both sides of a change were there all the time, and what follows them goes on from them.
      isRewritten ||= !(yield* isStill(last, size - last.length)) || !(yield* isStill(bytes, size))
      known = now
      wouldShow = isAtRest(now, at)
    }
    if (isRewritten) return nothing
    hash.update(bytes)
    size += bytes.length
    last = bytes.length === chunkBytes ? bytes : Buffer.concat([last, bytes]).subarray(-chunkBytes)
    return bytes
  })
  const first = yield* read
  const rest = Stream.unfold(undefined, () =>
    Effect.map(read, (bytes) => (bytes.length === 0 ? undefined : ([bytes, undefined] as const)))
  )
  return {
    identity,
    isGzip: first[0] === 0x1f && first[1] === 0x8b,
    size: () => size,
    readAt: readFrom,
    chunks: first.length === 0 ? Stream.empty : Stream.concat(Stream.succeed(first), rest),
    finish: Effect.map(identify, (now) => ({
      hasChanged: isRewritten || !isSameIdentity(identity, now) || now.size !== size,
      identity: now,
      sha256: hash.copy().digest("hex")
    }))
  }
})

const nothing: Buffer = Buffer.alloc(0)

/** Buffers are small and read one at a time: what a bomb expands to waits inside zlib until it is asked for. */
const decompressed = (stored: Stored, file: Place): FileBytes => {
  const gunzip = createGunzip({ chunkSize: chunkBytes })
  const chunks = stored.chunks.pipe(
    NodeStream.pipeThroughDuplex({ evaluate: () => gunzip, onError: (error) => notGzip(file, error), chunkSize: 1 }),
    Stream.map((bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  )
  const finish = Effect.gen(function* () {
    const finished = yield* stored.finish
    if (!isSameIdentity(finished.identity, stored.identity)) return finished
    const padding = yield* paddingFrom(gunzip.bytesWritten, stored, file)
    if (padding === 0) return finished
    // zlib stops asking at the first zero behind the end, so the hash has not seen all of them.
    const sha256 = yield* digest(stored)
    return { ...finished, hasChanged: false, sha256 }
  })
  return { identity: stored.identity, chunks, finish }
}

/** How many zeros follow the gzip data; anything else there would be passed over unnoticed, so it is an error. */
const paddingFrom = Effect.fnUntraced(function* (offset: number, stored: Stored, file: Place) {
  let end = offset
  for (;;) {
    const bytes = yield* stored.readAt(end)
    if (bytes.length === 0) return end - offset
    if (bytes.some((byte) => byte !== 0)) {
      return yield* unreadable(
        file,
        `has other data behind the end of its gzip data (byte ${offset}). Replace it, then land it again.`
      )
    }
    end += bytes.length
  }
})

const digest = Effect.fnUntraced(function* (stored: Stored) {
  const hash = createHash("sha256")
  let offset = 0
  for (;;) {
    const bytes = yield* stored.readAt(offset)
    if (bytes.length === 0) return hash.digest("hex")
    hash.update(bytes)
    offset += bytes.length
  }
})

const notGzip = (file: Place, error: unknown) =>
  unreadable(
    file,
    Predicate.hasProperty(error, "code") && error.code === "Z_BUF_ERROR"
      ? "is gzip that ends in its middle: it is truncated, or still being written. Land it again when it is whole."
      : `is damaged gzip (${error instanceof Error ? error.message : String(error)}). Replace it, then land it again.`
  )

const unreadable = ({ origin, path }: Place, what: string) =>
  new SourceError({ origin, kind: "Unreadable", message: `${path} ${what}` })
