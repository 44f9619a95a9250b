/**
 * A folder of feed files as a history treats it: files come, grow, are rewritten, delivered again under another name,
 * renamed and removed; some are cut off or lack a column until somebody mends them. Remembers what every file ever said,
 * to tell whether all of it landed, once.
 */
import * as BillingEvent from "@assay/billing-assets/BillingEvent"
import * as FileSource from "@assay/core/source/FileSource"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import type { Row } from "../../../core/test/oracle/Picture.ts"
import type * as Prng from "../../../core/test/oracle/Prng.ts"
import type { Rejected } from "../../../core/test/oracle/Subject.ts"
import * as Line from "./Line.ts"

/** How a file is written down. */
interface Form {
  readonly isCsv: boolean
  readonly isZipped: boolean
  /** Where the columns of a CSV file begin to be counted, round. */
  readonly first: number
  readonly lineEnd: "\n" | "\r\n"
  readonly endsOpen: boolean
}

/** How a file gets onto the disk: in its place, added to, or put in its place when it is complete; and its age. */
interface Way {
  readonly isReplaced: boolean
  readonly restMillis: number
}

/** What happens to the folder. Which file is meant is counted round among those that there are. */
export type Act = (
  | { readonly _tag: "Write"; readonly name: string; readonly form: Form; readonly lines: ReadonlyArray<Line.Line> }
  | { readonly _tag: "Grow"; readonly which: number; readonly lines: ReadonlyArray<Line.Line> }
  | {
      readonly _tag: "Rewrite"
      readonly which: number
      readonly at: number
      readonly drop: number
      readonly lines: ReadonlyArray<Line.Line>
    }
  /** The same bytes, or the same lines in another form. */
  | { readonly _tag: "Copy"; readonly which: number; readonly name: string; readonly isExact: boolean }
  | { readonly _tag: "Rename"; readonly which: number; readonly name: string }
  | { readonly _tag: "Remove"; readonly which: number }
  | { readonly _tag: "CutOff"; readonly name: string; readonly form: Form; readonly lines: ReadonlyArray<Line.Line> }
  | { readonly _tag: "Behead"; readonly name: string }
  | { readonly _tag: "Mend" }
) & { readonly way: Way }

/** Something that happens to a folder. */
export const act = (random: Prng.Prng, index: number): Act => {
  const name = `${random.pick(["a", "m", "z"])}${index}-${random.below(1_000_000)}`
  const way = { isReplaced: random.chance(0.5), restMillis: random.pick([0, 1000, 5000]) }
  const form: Form = {
    isCsv: random.chance(0.6),
    isZipped: random.chance(0.3),
    first: random.below(Line.columns.length),
    lineEnd: random.pick(["\n", "\n", "\r\n"]),
    endsOpen: random.chance(0.2)
  }
  const which = random.below(1000)
  const lines = Line.some(random)
  const write = (): Act => ({ _tag: "Write", name, form, lines, way })
  return random.pick<() => Act>([
    write,
    write,
    write,
    write,
    write,
    () => ({ _tag: "Grow", which, lines, way }),
    () => ({ _tag: "Grow", which, lines, way }),
    () => ({ _tag: "Rewrite", which, at: random.below(8), drop: random.below(3), lines, way }),
    () => ({ _tag: "Rewrite", which, at: 0, drop: 0, lines, way }),
    () => ({ _tag: "Copy", which, name, isExact: random.chance(0.5), way }),
    () => ({ _tag: "Copy", which, name, isExact: false, way }),
    () => ({ _tag: "Rename", which, name, way }),
    () => ({ _tag: "Remove", which, way }),
    () => ({ _tag: random.pick(["CutOff", "Write"]), name, form: { ...form, isZipped: true }, lines, way }),
    () => (random.chance(0.5) ? { _tag: "Behead", name, way } : write()),
    () => ({ _tag: "Mend", way })
  ])()
}

/** A folder that goes away with its scope, and the feed in it, read in batches of a size. */
export const make = Effect.fnUntraced(function* (batchSize: number) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-feed-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
  )
  const files: Array<File> = []
  const ever = new Set<string>()
  // Of equal contents one lands: which one is nobody's business.
  const owners = new Map<string, string>()
  const twins = new Set<string>()
  let now = 0

  const put = ({ form, lines, name, trouble }: File, way: Way): void => {
    const path = Path.join(folder, fileName(name, form))
    const bytes = encode(form, lines, trouble === "beheaded" ? Line.columns.slice(1) : Line.columns)
    const written = trouble === "cut off" ? bytes.subarray(0, Math.ceil(bytes.length / 2)) : bytes
    const content = bytes.toString("base64")
    const owner = owners.get(content) ?? name
    owners.set(content, owner)
    if (owner !== name) twins.add(owner).add(name)
    // Hidden, so that nobody reads half of it.
    const draft = Path.join(folder, ".draft")
    Fs.writeFileSync(way.isReplaced ? draft : path, written)
    if (way.isReplaced) Fs.renameSync(draft, path)
    const at = new Date(now - way.restMillis)
    Fs.utimesSync(path, at, at)
    for (const { meaning } of lines) if (meaning !== undefined) ever.add(meaning)
  }
  const place = (file: File, way: Way): void => {
    const index = files.findIndex(({ name }) => name === file.name)
    files.splice(index === -1 ? files.length : index, index === -1 ? 0 : 1, file)
    put(file, way)
  }
  /** Files in trouble are left alone until they are mended. */
  const chosen = (which: number): File | undefined => {
    const sound = files.filter(({ trouble }) => trouble === undefined)
    return sound[which % Math.max(1, sound.length)]
  }
  const mend = (way: Way): void => {
    for (const file of files.filter(({ trouble }) => trouble !== undefined)) place({ ...file, trouble: undefined }, way)
  }

  const happen = (act: Act): void => {
    const { way } = act
    if (!("which" in act)) {
      switch (act._tag) {
        case "Write":
          return place({ ...act, isPlain: true, trouble: undefined }, way)
        case "CutOff":
          return place({ ...act, isPlain: true, trouble: "cut off" }, way)
        case "Behead":
          return place({ name: act.name, form: plain, lines: [], isPlain: true, trouble: "beheaded" }, way)
        case "Mend":
          return mend(way)
      }
    }
    const file = chosen(act.which)
    if (file === undefined) return
    const path = Path.join(folder, fileName(file.name, file.form))
    const forget = () => files.splice(files.indexOf(file), 1)
    switch (act._tag) {
      case "Grow":
        return place({ ...file, lines: [...file.lines, ...act.lines] }, way)
      case "Rewrite":
        return place({ ...file, isPlain: false, lines: file.lines.toSpliced(act.at, act.drop, ...act.lines) }, way)
      case "Copy":
        return place(
          {
            ...file,
            name: act.name,
            form: act.isExact ? file.form : { ...file.form, isCsv: !file.form.isCsv },
            isPlain: true
          },
          way
        )
      case "Rename":
        forget()
        files.push({ ...file, name: act.name, isPlain: false })
        return Fs.renameSync(path, Path.join(folder, fileName(act.name, file.form)))
      case "Remove":
        // A folder without a file is a mistyped path.
        if (files.length === 1) return
        forget()
        return Fs.rmSync(path)
    }
  }

  place({ name: "0", form: plain, lines: [], isPlain: true, trouble: undefined }, { isReplaced: true, restMillis: 0 })

  return {
    source: FileSource.make({
      path: folder,
      setting: "BILLING_EVENTS",
      required: BillingEvent.requiredColumns,
      columns: [...BillingEvent.requiredColumns, ...BillingEvent.optionalColumns],
      admit: BillingEvent.admit,
      knownBy: ["_file", "_hash"],
      batchSize
    }),
    happen: (act: Act, at: number) =>
      Effect.sync(() => {
        now = at
        happen(act)
        return files.map(
          ({ form, isPlain, lines, name, trouble }) =>
            `${fileName(name, form)}: ${lines.length} lines${isPlain ? "" : ", touched"}${trouble === undefined ? "" : `, ${trouble}`}`
        )
      }),
    isTroubled: Effect.sync(() => files.some(({ trouble }) => trouble !== undefined)),
    mend: Effect.sync(() => mend({ isReplaced: true, restMillis: 0 })),
    lost: (landed: ReadonlyArray<Row>, rejected: ReadonlyArray<Rejected>): string | undefined => {
      const meanings = new Set(landed.map(Line.meaningOf))
      const invented = landed.find((row) => !ever.has(Line.meaningOf(row)))
      if (invented !== undefined) return `nobody ever said ${JSON.stringify(invented)}`
      for (const { form, isPlain, lines, name } of files) {
        const origin = fileName(name, form)
        const lacking = lines.find(({ meaning }) => meaning !== undefined && !meanings.has(meaning))
        if (lacking !== undefined) return `${origin} says ${lacking.meaning}, which has not landed`
        if (!isPlain || twins.has(name)) continue
        const places = lines.map(({ meaning }, index) => [index + (form.isCsv ? 2 : 1), meaning] as const)
        const accepted = places.flatMap(([line, meaning]) => (meaning === undefined ? [] : [`${line} ${meaning}`]))
        const found = landed.filter((row) => row["_file"] === origin)
        const wrong =
          compared(
            found.map((row) => `${row["_line"]} ${Line.meaningOf(row)}`),
            accepted
          ) ??
          compared(
            rejected.filter((row) => row.origin === origin).map(({ line }) => String(line)),
            places.flatMap(([line, meaning]) => (meaning === undefined ? [String(line)] : []))
          )
        if (wrong !== undefined) return `of ${origin} ${wrong}`
      }
      return undefined
    }
  }
})

// --- internal ---

interface File {
  readonly name: string
  readonly form: Form
  readonly lines: ReadonlyArray<Line.Line>
  /** Written and added to, but never rewritten nor renamed: each of its lines must be there once. */
  readonly isPlain: boolean
  readonly trouble: "cut off" | "beheaded" | undefined
}

const plain: Form = { isCsv: true, isZipped: false, first: 0, lineEnd: "\n", endsOpen: false }

const fileName = (name: string, { isCsv, isZipped }: Form): string =>
  `${name}.${isCsv ? "csv" : "ndjson"}${isZipped ? ".gz" : ""}`

const encode = (form: Form, lines: ReadonlyArray<Line.Line>, columns: ReadonlyArray<string>): Buffer => {
  const order = [...columns.slice(form.first), ...columns.slice(0, form.first)]
  const records = form.isCsv
    ? [order.join(","), ...lines.map(({ fields }) => order.map((column) => quoted(fields[column] ?? "")).join(","))]
    : lines.map(({ fields: { attributes = "{}", ...fields } }) => {
        const said: unknown = JSON.parse(attributes)
        return JSON.stringify({ ...fields, attributes: said })
      })
  const text = records.join(form.lineEnd) + (form.endsOpen || records.length === 0 ? "" : form.lineEnd)
  return form.isZipped ? Zlib.gzipSync(text) : Buffer.from(text)
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const compared = (found: ReadonlyArray<string>, wanted: ReadonlyArray<string>): string | undefined =>
  found.toSorted().join("\n") === wanted.toSorted().join("\n")
    ? undefined
    : `there is ${JSON.stringify(found.toSorted())} instead of ${JSON.stringify(wanted.toSorted())}`
