/**
 * Where in a run of bytes does each record begin and end, and on which line? Framing comes before parsing, so that a
 * record that cannot be parsed costs only itself: the next one is framed anew from the line after it. What a frame says
 * depends on the bytes alone, never on how they were cut into chunks.
 *
 * @since 0.1.0
 */
import { isUtf8 } from "node:buffer"

/**
 * One record: `bytes[start, end)` of the chunk it was framed in, without its line break.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecordFrame {
  readonly start: number
  readonly end: number
  /** The index behind the line break. */
  readonly next: number
  /** The line on which the record begins, from 1. */
  readonly line: number
  /** The line on which `next` lies. */
  readonly nextLine: number
  /** The offset in the file up to which bytes were looked at in order to frame the records so far. */
  readonly horizon: number
  /** Why the record cannot be parsed. */
  readonly problem: string | undefined
  /** The first bytes of a line that is too long to be kept, and how long it is. */
  readonly cut: { readonly head: Buffer; readonly length: number } | undefined
}

/**
 * The records that a chunk completed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Framed {
  /** What was left of earlier chunks, and the chunk. */
  readonly bytes: Buffer
  /** The offset of `bytes` in the file. */
  readonly base: number
  readonly frames: ReadonlyArray<RecordFrame>
  /** The offset behind the last record and the empty lines after it, and its line. */
  readonly boundary: number
  readonly line: number
  /** The offset behind which bytes are kept for the next chunk. */
  readonly consumed: number
}

/**
 * Frames records of a growing run of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Framer {
  readonly push: (chunk: Buffer) => Framed
  /** There is no further chunk: what is left is the last record. */
  readonly end: () => Framed
}

/**
 * Makes a framer that begins at an offset of a file.
 *
 * **Details**
 *
 * Records end at LF or CRLF; empty lines and a byte order mark at the start of the file belong to no record. With
 * `isQuoted` a record may hold line breaks between quotes, by the rules of RFC 4180. Where quotes break these rules, or
 * close neither within `maxBytes` nor before the end of the file, the first line alone is the record that has a problem.
 * A line longer than `maxBytes` is cut.
 *
 * @category constructors
 * @since 0.1.0
 */
export const framer = (options: {
  readonly isQuoted: boolean
  readonly maxBytes: number
  readonly offset: number
  readonly line: number
}): Framer => {
  const { isQuoted, maxBytes } = options
  let bytes: Buffer = Buffer.alloc(0)
  let base = options.offset
  let consumed = base
  let boundary = base
  let line = options.line
  let horizon = 0
  let overlong: { readonly head: Buffer; length: number } | undefined
  let frames: Array<RecordFrame> = []

  /** Passes over a line that is too long; -1 where it goes on in the next chunk. */
  const passOver = (at: number, isEnd: boolean, cut: { readonly head: Buffer; length: number }): number => {
    const { stop, next } = lineAt(bytes, at)
    cut.length += stop - at
    if (next === -1 && !isEnd) return -1
    overlong = undefined
    const behind = next === -1 ? stop : next
    return take({ start: at, end: stop, next: behind, problem: tooLong(maxBytes, cut.length), cut }, behind - stop)
  }

  /** Frames a record that holds a quote; -1 where more must be seen. */
  const takeQuoted = (at: number, isEnd: boolean, first: Extent): number => {
    const bound = at + maxBytes + 2
    const scan = scanQuoted(bytes, at, Math.min(bytes.length, bound))
    const isBeyond = bytes.length >= bound
    if (scan.outcome === "closed" || (scan.outcome === "open" && isEnd && !isBeyond)) {
      const breaks = lineBreaks(bytes, at, scan.next)
      return take({ start: at, end: scan.end, next: scan.next, problem: undefined, cut: undefined }, breaks)
    }
    if (scan.outcome !== "broken" && !isEnd && !isBeyond) return -1
    const seen = scan.outcome === "broken" ? scan.next : isBeyond ? bound : Number.POSITIVE_INFINITY
    horizon = Math.max(horizon, base + seen)
    const problem =
      scan.outcome !== "broken"
        ? unclosed(isBeyond ? `${maxBytes} bytes` : "the file")
        : scan.next > first.next
          ? unclosedUntil(line + lineBreaks(bytes, at, scan.next))
          : scan.problem
    return take({ ...first, problem, cut: undefined }, lineBreaks(bytes, at, first.next))
  }

  const take = (extent: Extent & Pick<RecordFrame, "problem" | "cut">, breaks: number): number => {
    const nextLine = line + breaks
    frames.push({ ...extent, line, nextLine, horizon })
    line = nextLine
    return extent.next
  }

  const takeNext = (at: number, isEnd: boolean, hasQuote: (from: number, to: number) => boolean): number => {
    if (overlong !== undefined) return passOver(at, isEnd, overlong)
    const blank = runOfBreaks(bytes, at)
    if (blank > at) {
      line += blank - at
      return blank
    }
    const { stop, next } = lineAt(bytes, at)
    if (stop - at > maxBytes) {
      overlong = { head: Buffer.from(bytes.subarray(at, at + Math.min(maxBytes, keptBytes))), length: 0 }
      return at
    }
    if (next === -1 && !isEnd) return -1
    const end = stop > at && bytes[stop - 1] === CR ? stop - 1 : stop
    const first = { start: at, end, next: next === -1 ? stop : next }
    if (isQuoted && hasQuote(at, end)) return takeQuoted(at, isEnd, first)
    if (end > at) return take({ ...first, problem: undefined, cut: undefined }, first.next - stop)
    line += first.next - stop
    return first.next
  }

  const frame = (isEnd: boolean): Framed => {
    frames = []
    const hasQuote = quoteFinder(bytes)
    const hasMore = (at: number): boolean => at < bytes.length || (isEnd && overlong !== undefined)
    let at = base === 0 ? markLength(bytes, isEnd) : 0
    while (at !== -1 && hasMore(at)) {
      at = takeNext(at, isEnd, hasQuote)
      if (at !== -1 && overlong === undefined) boundary = base + at
    }
    consumed = overlong === undefined ? boundary : base + bytes.length
    return { bytes, base, frames, boundary, line, consumed }
  }

  return {
    push: (chunk) => {
      const rest = bytes.subarray(consumed - base)
      bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      base = consumed
      return frame(false)
    },
    end: () => {
      bytes = bytes.subarray(consumed - base)
      base = consumed
      return frame(true)
    }
  }
}

/**
 * Frames text that should be a single record.
 *
 * @category constructors
 * @since 0.1.0
 */
export const single = (bytes: Buffer, options: { readonly isQuoted: boolean; readonly line: number }): RecordFrame => ({
  start: 0,
  end: bytes.length,
  next: bytes.length,
  line: options.line,
  nextLine: options.line,
  horizon: bytes.length,
  problem: options.isQuoted ? singleProblem(bytes) : undefined,
  cut: undefined
})

/**
 * Why bytes are no text that can be stored: undefined where they are.
 *
 * @category predicates
 * @since 0.1.0
 */
export const textProblem = (bytes: Buffer): string | undefined => {
  const nul = bytes.indexOf(0)
  if (nul !== -1) return `contains a NUL byte (at byte ${nul + 1} of the record), which text must not hold`
  return isUtf8(bytes) ? undefined : "is not valid UTF-8: save the file as UTF-8, then land it again"
}

/**
 * How many bytes are kept, at most, of a line that is too long.
 *
 * @category limits
 * @since 0.1.0
 */
export const keptBytes = 64 * 1024

// --- internal ---

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22
const COMMA = 0x2c

type Extent = Pick<RecordFrame, "start" | "end" | "next">

/** Where the line at an index stops, and where the next one begins: -1 where no line break was seen. */
const lineAt = (bytes: Buffer, at: number): { readonly stop: number; readonly next: number } => {
  const lf = bytes.indexOf(LF, at)
  return lf === -1 ? { stop: bytes.length, next: -1 } : { stop: lf, next: lf + 1 }
}

/** Passes over empty lines: a compressed file may expand to nothing else. */
const runOfBreaks = (bytes: Buffer, at: number): number => {
  let behind = at
  while (bytes[behind] === LF) behind += 1
  return behind
}

const lineBreaks = (bytes: Buffer, from: number, to: number): number => {
  let count = 0
  for (let lf = bytes.indexOf(LF, from); lf !== -1 && lf < to; lf = bytes.indexOf(LF, lf + 1)) count += 1
  return count
}

/** Asks for quotes in rising order of index, so that bytes without any are searched once. */
const quoteFinder = (bytes: Buffer) => {
  let quote = -1
  return (from: number, to: number): boolean => {
    if (quote < from) {
      const found = bytes.indexOf(QUOTE, from)
      quote = found === -1 ? Number.POSITIVE_INFINITY : found
    }
    return quote < to
  }
}

/** The length of a byte order mark; -1 where it cannot be told yet. */
const markLength = (bytes: Buffer, isEnd: boolean): number => {
  if (bytes.length < 3) return isEnd ? 0 : -1
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

interface Scan {
  /** `open`: the bytes ended outside of quotes. */
  readonly outcome: "closed" | "open" | "inQuotes" | "broken"
  readonly end: number
  /** Behind the line break, or behind the byte that breaks the rules. */
  readonly next: number
  readonly problem: string | undefined
}

/** Walks the fields of one record: each byte is visited once. */
const scanQuoted = (bytes: Buffer, start: number, bound: number): Scan => {
  let at = start
  for (;;) {
    const isQuoted = at < bound && bytes[at] === QUOTE
    if (isQuoted) {
      const quote = closingQuote(bytes, at + 1, bound)
      if (quote >= bound) return { outcome: "inQuotes", end: bound, next: bound, problem: undefined }
      at = quote + 1
    } else {
      while (at < bound && bytes[at] !== COMMA && bytes[at] !== LF && bytes[at] !== QUOTE) at += 1
    }
    const hasReturn = isQuoted ? bytes[at] === CR : at > start && bytes[at - 1] === CR
    const end = hasReturn && !isQuoted ? at - 1 : at
    const brk = hasReturn && isQuoted ? at + 1 : at
    if (brk >= bound) return { outcome: "open", end, next: bound, problem: undefined }
    if (bytes[brk] === LF) return { outcome: "closed", end, next: brk + 1, problem: undefined }
    if (bytes[at] !== COMMA) {
      return { outcome: "broken", end: at, next: at + 1, problem: isQuoted ? strayText : strayQuote }
    }
    at += 1
  }
}

/** The index of the quote that ends a field; doubled quotes are part of it. */
const closingQuote = (bytes: Buffer, start: number, bound: number): number => {
  let at = start
  for (;;) {
    while (at < bound && bytes[at] !== QUOTE) at += 1
    if (at + 1 >= bound || bytes[at + 1] !== QUOTE) return at
    at += 2
  }
}

const singleProblem = (bytes: Buffer): string | undefined => {
  const scan = scanQuoted(bytes, 0, bytes.length)
  if (scan.outcome === "inQuotes") return unclosed("the record")
  return scan.outcome === "closed" ? "more than one record: a line break stands outside of quotes" : scan.problem
}

const strayQuote =
  "a quote stands inside a field that does not begin with one: quote the whole field and double the quotes in it"
const strayText = "a closing quote is followed by text: double the quotes inside of a quoted field"
const unclosed = (within: string): string => `a quote is opened and not closed within ${within}`
const unclosedUntil = (line: number): string =>
  `a quote is opened and not closed: text follows the next quote, on line ${line}`
const tooLong = (maxBytes: number, length: number): string =>
  `the line has ${length} bytes, more than the ${maxBytes} allowed: only its beginning is kept`
