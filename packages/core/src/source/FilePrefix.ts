/**
 * Does a file still begin with what was landed of it, and how far has it been landed now? The prefix of a file is known by
 * the hash of its decompressed bytes up to the end of a record.
 *
 * @since 0.1.0
 */
import { createHash, type Hash } from "node:crypto"
import type { FilePosition } from "./FilePosition.ts"
import type { Framed } from "./RecordFrame.ts"

/**
 * A place between two records of a file.
 *
 * @category models
 * @since 0.1.0
 */
export interface FilePrefix {
  readonly bytes: number
  /** The line on which the next byte lies. */
  readonly line: number
  /** The last record has no line break yet. */
  readonly isOpen: boolean
  /** State of the hash over the bytes; copied before it is digested. */
  readonly hash: Hash
}

/**
 * The prefix of a file of which nothing was landed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (): FilePrefix => ({ bytes: 0, line: 1, isOpen: false, hash: createHash("sha256") })

/**
 * What a check knows: that more bytes are needed, that the file was rewritten, or where it goes on.
 *
 * @category models
 * @since 0.1.0
 */
export type Checked =
  | { readonly _tag: "More" }
  | { readonly _tag: "Differs" }
  | { readonly _tag: "Same"; readonly prefix: FilePrefix; readonly rest: Buffer }

/**
 * Checks, chunk by chunk, that a file begins with what was landed.
 *
 * **Details**
 *
 * Where the landed bytes end in a record without a line break, a line break must follow: else `a,b` became `a,bc`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const check = (
  landed: Pick<FilePosition, "bytes" | "prefix" | "line" | "isOpen">
): { readonly push: (chunk: Buffer) => Checked; readonly end: () => Checked } => {
  const hash = createHash("sha256")
  let seen = 0
  let isProved = false
  let after: Buffer = Buffer.alloc(0)
  const goOn = (chunk: Buffer): Checked => {
    after = after.length === 0 ? chunk : Buffer.concat([after, chunk])
    if (!landed.isOpen) return same(after, 0)
    const length = after[0] === LF ? 1 : after[0] === CR && after[1] === LF ? 2 : 0
    if (length > 0) return same(after, length)
    return after.length === 0 || (after.length === 1 && after[0] === CR) ? more : differs
  }
  const same = (bytes: Buffer, length: number): Checked => {
    hash.update(bytes.subarray(0, length))
    const line = length === 0 ? landed.line : landed.line + 1
    const isOpen = landed.isOpen && length === 0
    return { _tag: "Same", prefix: { bytes: landed.bytes + length, line, isOpen, hash }, rest: bytes.subarray(length) }
  }
  const push = (chunk: Buffer): Checked => {
    if (isProved) return goOn(chunk)
    const part = chunk.subarray(0, landed.bytes - seen)
    hash.update(part)
    seen += part.length
    if (seen < landed.bytes) return more
    if (hash.copy().digest("hex") !== landed.prefix) return differs
    isProved = true
    return goOn(chunk.subarray(part.length))
  }
  return { push, end: () => (isProved && after.length === 0 ? same(after, 0) : differs) }
}

/**
 * Follows how far framed records were landed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tracker = (start: FilePrefix) => {
  const { hash } = start
  let hashed = start.bytes
  let current = start
  const hashTo = (framed: Framed, offset: number): void => {
    if (offset <= hashed) return
    hash.update(framed.bytes.subarray(hashed - framed.base, offset - framed.base))
    hashed = offset
  }
  return {
    current: (): FilePrefix => current,
    /** Everything up to an offset, which follows a record, was landed. */
    reach: (framed: Framed, offset: number, line: number): void => {
      if (offset <= current.bytes) return
      hashTo(framed, offset)
      current = { bytes: offset, line, isOpen: framed.bytes[offset - framed.base - 1] !== LF, hash }
    },
    /** Takes in the bytes that the framer gives up, which may end inside of a record that is too long to be kept. */
    release: (framed: Framed): void => {
      if (framed.consumed <= hashed) return
      if (current.hash === hash) current = { ...current, hash: hash.copy() }
      hashTo(framed, framed.consumed)
    }
  }
}

// --- internal ---

const LF = 0x0a
const CR = 0x0d
const more: Checked = { _tag: "More" }
const differs: Checked = { _tag: "Differs" }
