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
  /** The offset up to which bytes decided how these are read. */
  readonly horizon: number
  /** State of the hash over the bytes; copied before it is digested. */
  readonly hash: Hash
}

/**
 * The prefix of a file of which nothing was landed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (): FilePrefix => ({
  bytes: 0,
  line: 1,
  isOpen: false,
  horizon: 0,
  hash: createHash("sha256")
})

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
 * Where the landed bytes end in a record without a line break, a line break must follow: else `a,b` became `a,bc`. Where
 * bytes behind them decided how they are read, these must be the same too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const check = (landed: Landed): { readonly push: (chunk: Buffer) => Checked; readonly end: () => Checked } => {
  const hash = createHash("sha256")
  let seen = 0
  let isProved = false
  let after: Buffer = Buffer.alloc(0)
  const same = (length: number): Checked => {
    hash.update(after.subarray(0, length))
    const line = length === 0 ? landed.line : landed.line + 1
    const isOpen = landed.isOpen && length === 0
    const prefix = { bytes: landed.bytes + length, line, isOpen, horizon: horizonOf(landed), hash }
    return { _tag: "Same", prefix, rest: after.subarray(length) }
  }
  const goOn = (chunk: Buffer): Checked => {
    after = after.length === 0 ? chunk : Buffer.concat([after, chunk])
    if (landed.ahead !== null) return lookAhead(landed.ahead)
    if (!landed.isOpen) return same(0)
    const length = after[0] === LF ? 1 : after[0] === CR && after[1] === LF ? 2 : 0
    if (length > 0) return same(length)
    return after.length === 0 || (after.length === 1 && after[0] === CR) ? more : differs
  }
  const lookAhead = (ahead: NonNullable<FilePosition["ahead"]>): Checked => {
    if (after.length < ahead.bytes + (ahead.isEnd ? 1 : 0)) return more
    return !ahead.isEnd && digest(after.subarray(0, ahead.bytes)) === ahead.sha256 ? same(0) : differs
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
  const end = (): Checked => {
    if (!isProved) return differs
    if (landed.ahead === null) return after.length === 0 ? same(0) : differs
    return landed.ahead.isEnd && digest(after) === landed.ahead.sha256 ? same(0) : differs
  }
  return { push, end }
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
    /** The position of what was landed, read by looking at the bytes up to a horizon. */
    position: (framed: Framed | undefined, horizon: number): Landed => {
      const { bytes, isOpen, line } = current
      const prefix = current.hash.copy().digest("hex")
      return { bytes, isOpen, line, prefix, ahead: bytes >= horizon ? null : aheadOf(framed, bytes, horizon) }
    },
    /** Everything up to an offset, which follows a record, was landed. */
    reach: (framed: Framed, offset: number, line: number): void => {
      if (offset <= current.bytes) return
      hashTo(framed, offset)
      current = { ...current, bytes: offset, line, isOpen: framed.bytes[offset - framed.base - 1] !== LF, hash }
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

type Landed = Pick<FilePosition, "bytes" | "prefix" | "line" | "isOpen" | "ahead">

const horizonOf = ({ ahead, bytes }: Landed): number =>
  ahead === null ? 0 : ahead.isEnd ? Number.POSITIVE_INFINITY : bytes + ahead.bytes

/** Where the bytes are kept no more, any that follow are taken for a rewritten file. */
const aheadOf = (framed: Framed | undefined, bytes: number, horizon: number): FilePosition["ahead"] => {
  const isKept = framed !== undefined && bytes >= framed.base
  const seen = isKept ? framed.bytes.subarray(bytes - framed.base, horizon - framed.base) : Buffer.alloc(0)
  return { bytes: seen.length, sha256: digest(seen), isEnd: !isKept || horizon === Number.POSITIVE_INFINITY }
}

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex")

const LF = 0x0a
const CR = 0x0d
const more: Checked = { _tag: "More" }
const differs: Checked = { _tag: "Differs" }
