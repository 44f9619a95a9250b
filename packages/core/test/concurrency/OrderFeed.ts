/**
 * The orders of the shop as files of a folder: the source that reads them, deliveries of every awkward kind, and the
 * plain answer to what was delivered.
 */
import * as Column from "@assay/core/Column"
import type { Source } from "@assay/core/Source"
import type { FileRecord } from "@assay/core/source/FileRecord"
import * as FileSource from "@assay/core/source/FileSource"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type * as Prng from "../oracle/Prng.ts"
import type { Order } from "../shop/Shop.ts"

const header = ["order_id", "customer", "store", "amount", "tier", "ordered_at", "seen_at", "op"] as const

/** The orders in the files of a folder, in batches so small that most files have several. */
export const source = (folder: string): Source<Order> =>
  FileSource.make({
    path: folder,
    required: header,
    columns: header,
    admit,
    knownBy: ["origin", "line"],
    batchSize: 4
  })

/** Orders that nobody ever speaks of again, so that what is made of them is never empty once it is there. */
export const opening: ReadonlyArray<string> = [
  "first-1,ann,east,5,gold,2024-02-10T08:00:00.000000Z,2024-02-10T08:00:00.000000Z,upsert",
  "first-2,bob,north,6,silver,2024-02-12T23:59:59.999999Z,2024-02-13T00:00:00.000000Z,upsert",
  "first-3,cid,west,7,gold,2024-02-20T00:00:00.000000Z,2024-02-20T00:00:00.000000Z,upsert",
  "first-4,ann,north,8,,2024-02-29T12:00:00.000000Z,2024-02-29T12:00:00.000000Z,upsert",
  "first-5,bob,west,9,iron,2024-03-01T00:00:00.000000Z,2024-03-01T00:00:00.000000Z,upsert",
  "first-6,cid,south,1,,2024-03-04T07:30:00.000000Z,2024-03-04T07:30:00.000000Z,upsert",
  "first-7,ann,east,2,silver,2024-03-05T09:15:00.000000Z,2024-03-05T09:15:00.000000Z,upsert"
]

/** Delivers the opening. */
export const open = (folder: string): void => put(folder, "opening.csv", opening)

/** Delivers something for the last run to do. */
export const close = (folder: string): void =>
  put(folder, "closing.csv", [
    "last-1,ann,east,5,gold,2024-03-02T08:00:00.000000Z,2024-03-05T08:00:00.000000Z,upsert",
    "last-2,bob,north,much,,2024-03-02T08:00:00.000000Z,2024-03-05T08:00:00.000000Z,upsert"
  ])

/** Delivers something: a new file, more lines of a file that is already there, or an earlier file under another name. */
export const deliver = (random: Prng.Prng, { delivery, folder, lander, since }: Delivery): void => {
  const lines = Array.from({ length: random.pick([1, 3, 5, 9]) }, () => line(random))
  const nameOf = (delivery: number) => `${lander}-${String(delivery).padStart(4, "0")}.csv`
  const name = nameOf(delivery)
  const earlier = Fs.readdirSync(folder).filter((file) => nameOf(since) <= file && file < name)
  switch (random.pick(["new", "new", "more", "again"])) {
    case "more": {
      const journal = Path.join(folder, `journal-${lander}.csv`)
      // One write of whole lines: who reads meanwhile sees all of them or none.
      return Fs.appendFileSync(journal, text(Fs.existsSync(journal) ? lines : [header.join(), ...lines]))
    }
    case "again": {
      const again = earlier[random.below(earlier.length)]
      if (again === undefined) return put(folder, name, lines)
      return place(folder, `again-${name}`, Fs.readFileSync(Path.join(folder, again), "utf8"))
    }
    default:
      return put(folder, name, lines)
  }
}

interface Delivery {
  readonly folder: string
  readonly lander: string
  readonly delivery: number
  /** The number of the first delivery that comes again: it and those behind it have landed. */
  readonly since: number
}

/** What the files of a folder say: how often each record has to be in the log, and how often in quarantine. */
export interface Delivered {
  readonly landed: ReadonlyArray<string>
  readonly rejected: ReadonlyArray<string>
  /** The name under which a record is listed, whichever of the files of one content it was read from. */
  readonly nameOf: (origin: string, line: number) => string
}

/** Reads a folder as naively as possible. Files of one content count once. */
export const delivered = (folder: string): Delivered => {
  const names = new Map<string, string>()
  const first = new Map<string, string>()
  const landed: Array<string> = []
  const rejected: Array<string> = []
  for (const file of Fs.readdirSync(folder).toSorted()) {
    const content = Fs.readFileSync(Path.join(folder, file), "utf8")
    const isKnown = first.has(content)
    if (!isKnown) first.set(content, file)
    names.set(file, first.get(content) ?? file)
    if (isKnown) continue
    for (const [index, record] of content.trimEnd().split("\n").entries()) {
      if (index > 0) (record.includes(",much,") ? rejected : landed).push(`${file} ${index + 1}`)
    }
  }
  return { landed, rejected, nameOf: (origin, line) => `${names.get(origin) ?? origin} ${line}` }
}

// --- internal ---

const text = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")

const put = (folder: string, name: string, lines: ReadonlyArray<string>): void =>
  place(folder, name, text([header.join(), ...lines]))

/** A file comes into place whole. */
const place = (folder: string, name: string, content: string): void => {
  const unfinished = Path.join(folder, `${name}.part`)
  Fs.writeFileSync(unfinished, content)
  Fs.renameSync(unfinished, Path.join(folder, name))
}

/** Orders that collide: few ids, customers and instants, on the edges of hours, days, weeks, months and of what exists. */
const line = (random: Prng.Prng): string =>
  [
    1 + random.below(40),
    random.pick(["ann", "bob", "cid", "dan", "eve"]),
    random.pick(["east", "north", "west", "south"]),
    random.chance(0.04) ? "much" : random.below(9),
    random.pick(["", "", "gold", "silver", "iron"]),
    random.pick(instants),
    `2024-03-01T00:00:${String(random.below(60)).padStart(2, "0")}.000000Z`,
    random.chance(0.12) ? "delete" : "upsert"
  ].join()

const instants = [
  "2024-01-05T12:00:00.000000Z",
  "2024-01-31T23:30:00.000000Z",
  "2024-02-01T00:00:00.000000Z",
  "2024-02-09T23:59:59.999999Z",
  "2024-02-10T00:00:00.000000Z",
  "2024-02-10T23:59:59.999999Z",
  "2024-02-17T23:30:00.000000Z",
  "2024-02-18T00:30:00.000000Z",
  "2024-02-25T10:00:00.000000Z",
  "2024-02-29T08:00:00.000000Z",
  "2024-02-29T08:00:00.000001Z",
  "2024-03-01T09:00:00.000000Z",
  "2024-03-03T22:59:59.999999Z",
  "2024-03-03T23:00:00.000000Z",
  "2024-03-04T11:00:00.000000Z",
  "2024-03-05T00:00:00.000000Z",
  "2024-03-05T23:00:00.000000Z",
  "2024-03-14T10:00:00.000000Z"
] as const

const admit = (record: FileRecord): Result.Result<Order, ReadonlyArray<string>> => {
  const field = (name: (typeof header)[number]): string => {
    const value = record.fields[name]
    return typeof value === "string" ? value : ""
  }
  const amount = Number(field("amount"))
  const isTimestamp = Schema.is(Column.timestamp)
  const reasons = [
    ...(Number.isSafeInteger(amount) ? [] : ["the amount is no whole number"]),
    ...(isTimestamp(field("ordered_at")) && isTimestamp(field("seen_at")) ? [] : ["a time is none"])
  ]
  return reasons.length > 0
    ? Result.fail(reasons)
    : Result.succeed({
        origin: record.origin,
        line: record.line,
        order_id: field("order_id"),
        customer: field("customer"),
        store: field("store"),
        amount,
        tier: field("tier") === "" ? null : field("tier"),
        ordered_at: field("ordered_at"),
        seen_at: field("seen_at"),
        is_deleted: field("op") === "delete"
      })
}
