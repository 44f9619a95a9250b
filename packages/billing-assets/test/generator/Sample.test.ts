import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Fault from "@assay/billing-assets/generator/Fault"
import * as FeedFile from "@assay/billing-assets/generator/FeedFile"
import * as Contract from "./Contract.ts"
import * as FeedFolder from "./FeedFolder.ts"

const options = { customers: 120, months: 15, seed: 59 }

const folder = Effect.gen(function* () {
  const path = yield* Path.Path
  return yield* path.fromFileUrl(new URL("../../sample", import.meta.url))
})

const sample = Effect.flatMap(folder, FeedFolder.read)

/** A sound row, with the month of its file and its place in the order of arrival. */
interface Arrival {
  readonly month: string
  readonly place: number
  readonly updatedAt: bigint
  readonly fields: Readonly<Record<string, string>>
}

const arrivals = Effect.map(sample, (files) =>
  files
    .flatMap(({ lines, name }) => lines.map((line) => ({ line, month: name.slice(8, 15) })))
    .flatMap(({ line, month }, place): ReadonlyArray<Arrival> =>
      line._tag === "Fields" && Contract.reasons(line).length === 0
        ? [{ month, place, updatedAt: Contract.micros(line.fields["updated_at"] ?? ""), fields: line.fields }]
        : []
    )
)

const events = Effect.map(arrivals, (rows) => Map.groupBy(rows, ({ fields }) => fields["event_id"] ?? ""))

const isDelete = (arrival: Arrival): boolean => arrival.fields["op"] === "delete"

// An empty cell of CSV is a field left out of NDJSON.
const content = (arrival: Arrival): string =>
  JSON.stringify(Contract.HEADER.split(",").map((column) => arrival.fields[column] ?? ""))

/** How many events have two rows, the first of which arrives before the second, that are as described. */
const countPairs = (
  grouped: ReadonlyMap<string, ReadonlyArray<Arrival>>,
  isSuch: (earlier: Arrival, later: Arrival) => boolean
): number =>
  [...grouped.values()].filter((rows) =>
    rows.some((earlier, index) => rows.slice(index + 1).some((later) => isSuch(earlier, later)))
  ).length

const daysLate = (arrival: Arrival, column: string): number => {
  const begun = Contract.micros(`${arrival.month}-01T00:00:00Z`)
  return Number((begun - Contract.micros(arrival.fields[column] ?? "")) / 86_400_000_000n)
}

it.layer(NodeServices.layer)("the sample feed", (it) => {
  it.effect("is what the generator makes today", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const out = yield* fs.makeTempDirectoryScoped()
      const summary = yield* FeedFile.write({ ...options, out })
      const made = yield* FeedFolder.read(out)
      const kept = yield* sample
      assert.deepStrictEqual(
        kept.map(({ name }) => name),
        summary.files.map(({ name }) => name)
      )
      for (const [index, { name, text }] of kept.entries()) {
        assert.strictEqual(text, made[index]?.text, name)
        // Compressed bytes differ between versions of zlib, so there only the content counts.
        if (name.endsWith(".gz")) continue
        const bytes = yield* fs.readFile(path.join(yield* folder, name))
        assert.deepStrictEqual(bytes, yield* fs.readFile(path.join(out, name)), name)
      }
    })
  )

  it.effect("tells in its README how it is made and what is in it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const { causes, malformed, rows } = yield* FeedFile.write({
        ...options,
        out: yield* fs.makeTempDirectoryScoped()
      })
      const readme = yield* fs.readFileString(path.join(yield* folder, "README.md"))
      const { customers, months, seed } = options
      assert.include(
        readme,
        `pnpm assay generate --customers ${customers} --months ${months} --seed ${seed} --out packages/billing-assets/sample`
      )
      assert.include(readme, `${rows} rows, of which ${malformed} are malformed`)
      assert.deepStrictEqual(
        Array.from(readme.matchAll(/\| (\d+) +\|$/gm), ([, count]) => Number(count)),
        [
          causes.first,
          causes.late,
          causes.backdated,
          causes.correction,
          causes.duplicate,
          causes.delete,
          causes.redelivery,
          causes.same_instant_delete,
          causes.conflict,
          causes.repair
        ]
      )
    })
  )

  it.effect("stays small: 15 months in at most 600 KB", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const files = yield* sample
      const sizes = yield* Effect.forEach(files, ({ name }) =>
        Effect.flatMap(folder, (at) => fs.readFile(path.join(at, name))).pipe(Effect.map((bytes) => bytes.length))
      )
      assert.strictEqual(files.length, 15)
      assert.isTrue(sizes.reduce((sum, size) => sum + size, 0) <= 600_000)
    })
  )

  it.effect("has malformed rows of every kind, each breaking one rule, about one row in two hundred", () =>
    Effect.gen(function* () {
      const broken = (yield* sample).flatMap(({ lines }) => lines.map(Contract.reasons)).filter((all) => all.length > 0)
      assert.isTrue(broken.every((all) => all.length === 1))
      assert.sameMembers([...new Set(broken.flat())], [...Fault.FAULTS])
      assert.isTrue(broken.length >= 10 && broken.length <= 30)
    })
  )

  it.effect("has rows that arrive weeks after they were written, and changes written months after they happened", () =>
    Effect.gen(function* () {
      const rows = yield* arrivals
      const firstSeen = new Map<string, Arrival>()
      for (const row of rows.toReversed()) firstSeen.set(content(row), row)
      const fresh = [...firstSeen.values()]
      assert.isTrue(fresh.filter((row) => daysLate(row, "updated_at") >= 14).length >= 20)
      const backdated = fresh.filter((row) => daysLate(row, "updated_at") < 1 && daysLate(row, "event_ts") >= 30)
      assert.isTrue(backdated.some(({ fields }) => fields["event_type"] === "refund_issued"))
      assert.isTrue(
        backdated.some((row) => row.fields["event_type"] === "customer_updated" && daysLate(row, "event_ts") >= 60)
      )
    })
  )

  it.effect("has exact duplicates in the same file and in a later one", () =>
    Effect.gen(function* () {
      const grouped = yield* events
      const isCopy = (earlier: Arrival, later: Arrival): boolean => content(earlier) === content(later)
      assert.isTrue(countPairs(grouped, (one, other) => isCopy(one, other) && one.month === other.month) >= 5)
      assert.isTrue(countPairs(grouped, (one, other) => isCopy(one, other) && one.month !== other.month) >= 5)
      const isNdjson = (arrival: Arrival): boolean => arrival.month === "2024-03"
      assert.isTrue(countPairs(grouped, (one, other) => isCopy(one, other) && isNdjson(one) !== isNdjson(other)) >= 2)
    })
  )

  it.effect("has corrections of the amount, the day, the customer and the attributes, also out of order", () =>
    Effect.gen(function* () {
      const grouped = yield* events
      const corrects = (earlier: Arrival, later: Arrival): boolean =>
        !isDelete(earlier) && !isDelete(later) && later.updatedAt !== earlier.updatedAt
      for (const column of ["amount", "event_ts", "customer_id", "attributes"]) {
        const differs = (earlier: Arrival, later: Arrival): boolean =>
          corrects(earlier, later) && earlier.fields[column] !== later.fields[column]
        assert.isTrue(countPairs(grouped, differs) >= 3, column)
      }
      assert.isTrue(countPairs(grouped, (one, other) => corrects(one, other) && one.updatedAt > other.updatedAt) >= 1)
    })
  )

  it.effect("has deletes after their upsert, before it, and upserts delivered again after their delete", () =>
    Effect.gen(function* () {
      const grouped = yield* events
      const withDelete = new Map([...grouped].filter(([, rows]) => rows.some(isDelete)))
      const isTaken = (earlier: Arrival, later: Arrival): boolean => !isDelete(earlier) && isDelete(later)
      const isRevived = (earlier: Arrival, later: Arrival): boolean =>
        isDelete(earlier) && !isDelete(later) && later.updatedAt < earlier.updatedAt
      assert.isTrue(countPairs(withDelete, isTaken) >= 10)
      const first = [...withDelete.values()].filter(([row]) => row !== undefined && isDelete(row))
      assert.isTrue(countPairs(new Map(first.map((rows, index) => [String(index), rows])), isRevived) >= 2)
      assert.isTrue(
        [...withDelete.values()].filter((rows) =>
          rows.some(
            (row, index) =>
              isDelete(row) &&
              rows.slice(0, index).some((one) => rows.slice(index).some((other) => content(one) === content(other)))
          )
        ).length >= 3
      )
    })
  )

  it.effect("has a few deletes at the very instant of their upsert, and a couple of true conflicts", () =>
    Effect.gen(function* () {
      const grouped = yield* events
      const isTie = (one: Arrival, other: Arrival): boolean =>
        one.updatedAt === other.updatedAt && content(one) !== content(other)
      assert.isTrue(countPairs(grouped, (one, other) => isTie(one, other) && isDelete(one) !== isDelete(other)) >= 2)
      const conflicts = countPairs(grouped, (one, other) => isTie(one, other) && isDelete(one) === isDelete(other))
      assert.isTrue(conflicts === 2, `${conflicts} conflicts`)
    })
  )

  it.effect("writes moments and operations in many ways, and attributes with fields that nobody knows", () =>
    Effect.gen(function* () {
      const rows = yield* arrivals
      const moments = rows.flatMap(({ fields }) => [fields["event_ts"] ?? "", fields["updated_at"] ?? ""])
      for (const notation of [/T[\d:]+Z$/, /\.\d{3}Z$/, /\.\d{6}Z$/, /\+02:00$/, /-05:00$/, /\+05:30$/, /\+00:00$/]) {
        assert.isTrue(moments.filter((moment) => notation.test(moment)).length >= 10, String(notation))
      }
      const operations = new Set(rows.map(({ fields }) => fields["op"] ?? ""))
      assert.sameMembers([...operations], ["", "upsert", "delete"])
      const attributes = rows.map(({ fields }) => fields["attributes"] ?? "")
      for (const part of ['"invoice_number":', '"utm":{"medium":', '"seats":', ":null", '\\"']) {
        assert.isTrue(
          attributes.some((text) => text.includes(part)),
          part
        )
      }
    })
  )

  it.effect("has upgrades and downgrades, departures and returns, refunds and disputes, in three currencies", () =>
    Effect.gen(function* () {
      const rows = yield* arrivals
      const count = (column: string, value: string): number =>
        rows.filter(({ fields }) => fields[column] === value).length
      for (const type of [
        "customer_updated",
        "plan_upgraded",
        "plan_downgraded",
        "subscription_cancelled",
        "refund_issued",
        "dispute_opened",
        "dispute_won"
      ]) {
        assert.isTrue(count("event_type", type) >= 3, type)
      }
      for (const currency of ["EUR", "USD", "GBP"]) assert.isTrue(count("currency", currency) >= 100, currency)
      const starts = Map.groupBy(
        rows.filter(({ fields }) => fields["event_type"] === "subscription_created"),
        ({ fields }) => fields["customer_id"]
      )
      const returned = [...starts.values()].filter(
        (list) => new Set(list.map(({ fields }) => fields["event_id"])).size > 1
      )
      assert.isTrue(returned.length >= 3)
    })
  )
})
