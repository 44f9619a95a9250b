/**
 * What the processes of the crash lane build: the sales of a till, from files to a table of totals, through every write
 * strategy. Partitions end on a fixed day, so that all processes agree on what there is to build whenever they run.
 */
import * as Asset from "@assay/core/Asset"
import * as AssetCheck from "@assay/core/AssetCheck"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { FileRecord } from "@assay/core/source/FileRecord"
import * as FileSource from "@assay/core/source/FileSource"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

const saleFields = {
  file: Column.text,
  line: Column.integer,
  sale_id: Column.text,
  member: Column.text,
  tier: Column.nullable(Column.text),
  amount: Column.integer,
  sold_at: Column.timestamp,
  seen_at: Column.timestamp,
  is_deleted: Column.boolean
}

const header = ["sale_id", "member", "tier", "amount", "sold_at", "seen_at", "op"]

/** The files as they are at first: seven sales of three members, and two records that are none. */
export const opening: ReadonlyArray<string> = [
  header.join(),
  "1,ann,silver,10,2024-03-01,2024-03-01,upsert",
  "2,bob,,20,2024-03-02,2024-03-02,upsert",
  "3,ann,gold,30,2024-03-03,2024-03-03,upsert",
  "4,bob,,much,2024-03-03,2024-03-03,upsert",
  "5,bob,silver,50,2024-03-04,2024-03-04,upsert",
  "6,cid,,60,2024-03-05,2024-03-05,upsert",
  "7,ann,,70,2024-03-06,2024-03-06,upsert",
  "8,cid,,80,someday,2024-03-06,upsert",
  "9,cid,silver,90,2024-03-07,2024-03-07,upsert"
]

/** What is said of them later: a correction, a sale that moves, one that is deleted, one heard of late, and old news. */
export const corrections: ReadonlyArray<string> = [
  header.join(),
  "3,ann,gold,31,2024-03-03,2024-03-08,upsert",
  "2,cid,,20,2024-03-06,2024-03-08,upsert",
  "5,bob,silver,50,2024-03-04,2024-03-08,delete",
  "10,cid,gold,5,2024-03-04,2024-03-08,upsert",
  "11,ann,,little,2024-03-04,2024-03-08,upsert",
  "7,ann,,7,2024-03-06,2024-03-05,upsert",
  "12,bob,gold,12,2024-03-08,2024-03-08,upsert",
  "13,dan,,13,2024-03-09,2024-03-09,upsert"
]

/** The files of a folder, in batches of three records. What fails is tried again at once, as often as is said. */
export const make = (folder: string, options: { readonly retries: number }) => {
  const policy = MaterializationPolicy.make({ retry: Schedule.recurs(options.retries), stepSize: 4 })

  const bronze = Asset.source("bronze_sales", {
    description: "Everything that was ever said of a sale",
    columns: Schema.Struct({ ...saleFields, batch: Column.text, loaded_at: Column.timestamp }),
    // With the batch in the key, a record that landed twice is two rows.
    write: WriteStrategy.append({ key: ["batch", "file", "line"], batch: "batch", loadedAt: "loaded_at" }),
    policy,
    checks: [AssetCheck.notNull("sale_id")],
    source: FileSource.make({
      path: folder,
      required: header,
      columns: header,
      admit,
      knownBy: ["file", "line"],
      batchSize: 3
    })
  })

  const silver = Asset.make("silver_sales", {
    description: "Each sale as it was last seen",
    columns: Schema.Struct({
      sale_id: Column.text,
      member: Column.text,
      tier: Column.nullable(Column.text),
      amount: Column.integer,
      sold_at: Column.timestamp,
      sold_on: Column.date,
      seen_at: Column.timestamp
    }),
    inputs: {
      sales: Asset.input(bronze, PartitionMapping.byColumn("sale_id"), {
        columns: ["sale_id", "member", "tier", "amount", "sold_at", "seen_at", "is_deleted"]
      })
    },
    write: WriteStrategy.upsert({ key: ["sale_id"], version: "seen_at" }),
    policy,
    checks: [AssetCheck.unique("sale_id")],
    compute: {
      sql: ({ sales }) => sql`
        SELECT sale_id, member, tier, amount, sold_at, (sold_at AT TIME ZONE 'UTC')::date AS sold_on, seen_at,
          is_deleted AS _deleted, concat_ws('|', member, tier, amount, sold_at) AS _tie
        FROM ${sales} AS s`
    }
  })

  const members = Asset.make("dim_member", {
    description: "The members' tiers through time",
    columns: Schema.Struct({
      member_sk: Column.text,
      member: Column.text,
      tier: Column.text,
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: {
      sales: Asset.input(silver, PartitionMapping.byColumn("member"), {
        columns: ["sale_id", "member", "tier", "sold_at"]
      })
    },
    write: WriteStrategy.scd2({
      key: ["member"],
      surrogateKey: "member_sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["tier"]
    }),
    policy,
    checks: [AssetCheck.acceptedValues("tier", ["silver", "gold"])],
    compute: {
      sql: ({ sales }) => sql`
        SELECT member, tier, sold_at AS valid_from,
          row_number() OVER (PARTITION BY member ORDER BY sold_at, sale_id COLLATE "C") AS _sequence
        FROM ${sales} AS s WHERE tier IS NOT NULL`
    }
  })

  const daily = Asset.make("gold_daily", {
    description: "Sales by day and by the tier that the member had then",
    columns: Schema.Struct({ day: Column.date, tier: Column.text, sales: Column.integer, amount: Column.integer }),
    partitions: Partitions.daily({ start: "2024-03-01", end: "2024-03-11" }),
    inputs: {
      sales: Asset.input(silver, PartitionMapping.byColumn("sold_on"), {
        columns: ["sale_id", "member", "amount", "sold_at", "sold_on"]
      }),
      members: Asset.input(
        members,
        PartitionMapping.asOf({ facts: "sales", key: "member", at: "sold_at", bounds: "compared" }),
        {
          columns: ["member", "tier", "valid_from", "valid_to"]
        }
      )
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "tier"] }),
    policy,
    checks: [AssetCheck.unique("day", "tier")],
    compute: {
      sql: ({ members, sales }) => sql`
        SELECT s.sold_on AS day, coalesce(m.tier, 'none') AS tier, count(*) AS sales, sum(s.amount) AS amount
        FROM ${sales} AS s
        LEFT JOIN ${members} AS m ON m.member = s.member AND m.valid_from <= s.sold_at
          AND (m.valid_to IS NULL OR s.sold_at < m.valid_to)
        GROUP BY 1, 2`
    }
  })

  const totals = Asset.make("tier_totals", {
    description: "Sales by tier",
    columns: Schema.Struct({ tier: Column.text, sales: Column.integer, amount: Column.integer }),
    inputs: { days: Asset.input(daily, PartitionMapping.all, { columns: ["tier", "sales", "amount"] }) },
    write: WriteStrategy.replace({ key: ["tier"] }),
    policy,
    checks: [AssetCheck.notNull("amount")],
    compute: {
      sql: ({ days }) => sql`
        SELECT tier, sum(sales) AS sales, sum(amount) AS amount FROM ${days} AS d GROUP BY tier`
    }
  })

  const large = Asset.make("large_sales", {
    description: "The sales that are worth a card",
    columns: Schema.Struct({ sale_id: Column.text, member: Column.text, amount: Column.integer }),
    inputs: {
      sales: Asset.input(silver, PartitionMapping.byColumn("sale_id"), { columns: ["sale_id", "member", "amount"] })
    },
    write: WriteStrategy.view,
    compute: { sql: ({ sales }) => sql`SELECT sale_id, member, amount FROM ${sales} AS s WHERE amount >= 10` }
  })

  const cards = Asset.make("member_cards", {
    description: "What is printed on the members' cards",
    columns: Schema.Struct({ member: Column.text, sales: Column.integer, best: Column.integer }),
    inputs: { sales: Asset.input(large, PartitionMapping.all, { columns: ["member", "amount"] }) },
    write: WriteStrategy.replace({ key: ["member"] }),
    policy,
    checks: [AssetCheck.unique("member")],
    // The same in processes that have compiled the compute differently.
    codeVersion: "1",
    compute: {
      // In TypeScript: its rows travel through a cursor inside the step's transaction.
      rows: ({ sales }) =>
        Array.from(new Set(sales.map(({ member }) => member))).map((member) => {
          const amounts = sales.filter((sale) => sale.member === member).map(({ amount }) => amount)
          return { member, sales: amounts.length, best: Math.max(...amounts) }
        })
    }
  })

  return AssetGraph.make([bronze, silver, members, daily, totals, large, cards])
}

// --- internal ---

const text = (record: FileRecord, field: string): string => {
  const value = record.fields[field]
  return typeof value === "string" ? value : ""
}

const admit = (record: FileRecord) => {
  const amount = Number(text(record, "amount"))
  const noon = (field: string) => `${text(record, field)}T12:00:00.000000Z`
  const isTimestamp = Schema.is(Column.timestamp)
  const tier = text(record, "tier")
  const reasons = [
    ...(Number.isSafeInteger(amount) ? [] : ["the amount is no whole number"]),
    ...(isTimestamp(noon("sold_at")) ? [] : ["sold_at is no day"])
  ]
  if (reasons.length > 0) return Result.fail(reasons)
  return Result.succeed({
    file: record.origin,
    line: record.line,
    sale_id: text(record, "sale_id"),
    member: text(record, "member"),
    tier: tier === "" ? null : tier,
    amount,
    sold_at: noon("sold_at"),
    seen_at: noon("seen_at"),
    is_deleted: text(record, "op") === "delete"
  })
}
