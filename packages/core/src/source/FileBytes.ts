/**
 * What are the bytes of a file, decompressed, and did the file hold still while they were read? Bytes are read as they
 * are asked for, so that memory stays the same however large the file is or however well it is compressed.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as Fs from "node:fs/promises"
import { createGunzip } from "node:zlib"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { SourceError } from "../Source.ts"
import { type FileIdentity, isSameIdentity } from "./FilePosition.ts"
import { type File, fromSystem, identityOf } from "./FileSet.ts"

/**
 * An open file.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileBytes {
  readonly identity: FileIdentity
  /** The decompressed bytes, to be run once. */
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
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (file: Place): Effect.fn.Return<FileBytes, SourceError, Scope.Scope> {
  const stored = yield* openStored(file)
  if (stored.isGzip) return { ...stored, chunks: decompress(stored.chunks, file) }
  if (stored.size > 0 && file.origin.toLowerCase().endsWith(".gz")) {
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

const openStored = Effect.fnUntraced(function* (file: Place) {
  const attempt = <A>(promise: () => Promise<A>) =>
    Effect.tryPromise({ try: promise, catch: fromSystem(file.origin, file.path) })
  const handle = yield* Effect.acquireRelease(
    attempt(() => Fs.open(file.path)),
    (handle) => Effect.ignore(attempt(() => handle.close()))
  )
  const identify = Effect.map(attempt(() => handle.stat({ bigint: true })), identityOf)
  const identity = yield* identify
  const hash = createHash("sha256")
  let size = 0
  const read = Effect.map(
    attempt(() => handle.read(Buffer.allocUnsafeSlow(chunkBytes), 0, chunkBytes, null)),
    ({ buffer, bytesRead }) => {
      const bytes = buffer.subarray(0, bytesRead)
      hash.update(bytes)
      size += bytesRead
      return bytes
    }
  )
  const first = yield* read
  const rest = Stream.unfold(undefined, () =>
    Effect.map(read, (bytes) => (bytes.length === 0 ? undefined : ([bytes, undefined] as const)))
  )
  return {
    identity,
    isGzip: first[0] === 0x1f && first[1] === 0x8b,
    size: first.length,
    chunks: first.length === 0 ? Stream.empty : Stream.concat(Stream.succeed(first), rest),
    finish: Effect.map(identify, (now) => ({
      hasChanged: !isSameIdentity(identity, now) || now.size !== size,
      identity: now,
      sha256: hash.copy().digest("hex")
    }))
  }
})

/** One read per pull and small buffers: what a bomb expands to waits inside zlib until it is asked for. */
const decompress = (stored: Stream.Stream<Buffer, SourceError>, file: Place): Stream.Stream<Buffer, SourceError> =>
  stored.pipe(
    NodeStream.pipeThroughDuplex({
      evaluate: () => createGunzip({ chunkSize: chunkBytes }),
      onError: (error) =>
        unreadable(
          file,
          Predicate.hasProperty(error, "code") && error.code === "Z_BUF_ERROR"
            ? "is gzip that ends in its middle: it is truncated, or still being written. Land it again when it is whole."
            : `is damaged gzip (${error instanceof Error ? error.message : String(error)}). Replace it, then land it again.`
        ),
      chunkSize: 1
    }),
    Stream.map((bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  )

const unreadable = ({ origin, path }: Place, what: string) =>
  new SourceError({ origin, kind: "Unreadable", message: `${path} ${what}` })
