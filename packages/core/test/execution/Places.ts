/** Sales by place and time: every way in which assets of several dimensions meet each other and those of one. */
import * as Asset from "@assay/core/Asset"
import * as AssetGraph from "@assay/core/AssetGraph"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import type { Source } from "@assay/core/Source"
import { sql } from "@assay/core/Sql"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"

const fields = {
  origin: Column.text,
  line: Column.integer,
  id: Column.text,
  day: Column.nullable(Column.date),
  region: Column.text,
  amount: Column.integer,
  seen: Column.integer,
  is_deleted: Column.boolean
}

export type Delivered = Schema.Struct<typeof fields>["Type"]

export interface Sale {
  readonly id: string
  readonly day: string | null
  readonly region: string
  readonly amount: number
}

/** Where each region lies; one lies on both sides. */
const areas: { readonly [region: string]: ReadonlyArray<string> } = {
  eu: ["west", "east"],
  us: ["west"],
  apac: ["east"]
}
const regions = Object.keys(areas)

const day = Partitions.daily({ start: "2024-03-01" })
const region = Partitions.fromKeys(regions)
const dayAndRegion = Partitions.multi({ day, region })
const place = WriteStrategy.replacePartitions({ day: "day", region: "region" }, { key: ["day", "region"] })

const sumBy = <Row, Key>(rows: ReadonlyArray<Row>, keyOf: (row: Row) => Key & string, amount: (row: Row) => number) =>
  Array.from(
    Map.groupBy(rows, keyOf),
    ([key, group]) => [key, group.reduce((sum, row) => sum + amount(row), 0)] as const
  )

const monday = (date: string): string => {
  const time = Date.parse(date)
  return new Date(time - ((new Date(time).getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10)
}

export const graph = (source: Source<Delivered>) => {
  const log = Asset.source("sale_log", {
    description: "Everything ever said of a sale",
    columns: Schema.Struct({ ...fields, batch: Column.text, loaded_at: Column.timestamp }),
    write: WriteStrategy.append({ key: ["origin", "line"], batch: "batch", loadedAt: "loaded_at" }),
    source
  })
  const sale = Asset.make("sale", {
    description: "Sales as they are",
    columns: Schema.Struct({
      id: Column.text,
      day: Column.nullable(Column.date),
      region: Column.text,
      amount: Column.integer,
      seen: Column.integer
    }),
    inputs: { log: Asset.input(log, PartitionMapping.byColumn("id")) },
    write: WriteStrategy.upsert({ key: ["id"], version: "seen" }),
    compute: {
      sql: ({ log }) => sql`SELECT id, day, region, amount, seen, is_deleted AS _deleted, '' AS _tie FROM ${log} AS l`,
      rows: ({ log }) =>
        log.map(({ amount, day, id, is_deleted, region, seen }) => ({
          id,
          day,
          region,
          amount,
          seen,
          _deleted: is_deleted,
          _tie: ""
        }))
    }
  })
  const byPlace = Asset.make("by_place", {
    description: "Sales by day and region",
    columns: Schema.Struct({ day: Column.date, region: Column.text, amount: Column.integer }),
    partitions: dayAndRegion,
    inputs: {
      sales: Asset.input(sale, PartitionMapping.byColumn("day", "region"), { columns: ["day", "region", "amount"] })
    },
    write: place,
    compute: {
      sql: ({ sales }) => sql`SELECT day, region, sum(amount) AS amount FROM ${sales} AS s GROUP BY day, region`,
      rows: ({ sales }) =>
        sumBy(
          sales,
          ({ day, region }) => `${day}|${region}`,
          ({ amount }) => amount
        ).map(([key, amount]) => ({ day: key.slice(0, 10), region: key.slice(11), amount }))
    }
  })
  const byWeek = Asset.make("by_week", {
    description: "Sales by area and week",
    columns: Schema.Struct({ area: Column.text, week: Column.date, amount: Column.integer }),
    partitions: Partitions.multi({
      area: Partitions.fromKeys(["west", "east"]),
      week: Partitions.weekly({ start: "2024-03-04" })
    }),
    inputs: {
      places: Asset.input(
        byPlace,
        PartitionMapping.byDimension({
          week: PartitionMapping.fromDimension("day", PartitionMapping.timeWindows()),
          area: PartitionMapping.fromDimension(
            "region",
            PartitionMapping.staticMap({ eu: ["west", "east"], us: "west", apac: "east" })
          )
        })
      )
    },
    write: WriteStrategy.replacePartitions({ area: "area", week: "week" }, { key: ["area", "week"] }),
    compute: {
      // A region that lies in two areas is read for either; the units say which of them are asked for.
      sql: ({ places, units }) => sql`
        SELECT a.area, date_trunc('week', p.day::timestamp)::date AS week, sum(p.amount) AS amount FROM ${places} AS p
        JOIN (VALUES ('eu', 'west'), ('eu', 'east'), ('us', 'west'), ('apac', 'east')) AS a(region, area) USING (region)
        WHERE a.area || '|' || to_char(date_trunc('week', p.day::timestamp), 'YYYY-MM-DD') IN (SELECT unit FROM ${units} AS u)
        GROUP BY 1, 2`,
      rows: ({ places, units }) =>
        sumBy(
          places.flatMap(({ amount, day, region }) =>
            (areas[region] ?? []).map((area) => ({ key: `${area}|${monday(day)}`, amount }))
          ),
          ({ key }) => key,
          ({ amount }) => amount
        ).flatMap(([key, amount]) => {
          const [area = "", week = ""] = key.split("|")
          return units.some(({ unit }) => unit === key) ? [{ area, week, amount }] : []
        })
    }
  })
  const byDay = Asset.make("by_day", {
    description: "Sales by day",
    columns: Schema.Struct({ day: Column.date, amount: Column.integer }),
    partitions: day,
    inputs: { places: Asset.input(byPlace, PartitionMapping.singleDimension("day"), { columns: ["day", "amount"] }) },
    write: WriteStrategy.replacePartitions("day", { key: ["day"] }),
    compute: {
      sql: ({ places }) => sql`SELECT day, sum(amount) AS amount FROM ${places} AS p GROUP BY day`,
      rows: ({ places }) =>
        sumBy(
          places,
          ({ day }) => day,
          ({ amount }) => amount
        ).map(([day, amount]) => ({ day, amount }))
    }
  })
  const byRegion = Asset.make("by_region", {
    description: "Sales by region, of all time",
    columns: Schema.Struct({ region: Column.text, amount: Column.integer }),
    partitions: region,
    inputs: {
      places: Asset.input(byPlace, PartitionMapping.singleDimension("region"), { columns: ["region", "amount"] })
    },
    write: WriteStrategy.replacePartitions("region", { key: ["region"] }),
    compute: {
      sql: ({ places }) => sql`SELECT region, sum(amount) AS amount FROM ${places} AS p GROUP BY region`,
      rows: ({ places }) =>
        sumBy(
          places,
          ({ region }) => region,
          ({ amount }) => amount
        ).map(([region, amount]) => ({ region, amount }))
    }
  })
  const share = Asset.make("share", {
    description: "What of a region's sales of all time falls to the day",
    columns: Schema.Struct({ day: Column.date, region: Column.text, amount: Column.integer, of: Column.integer }),
    partitions: dayAndRegion,
    inputs: {
      places: Asset.input(byPlace, PartitionMapping.identity),
      regions: Asset.input(byRegion, PartitionMapping.singleDimension("region"))
    },
    write: place,
    compute: {
      sql: ({ places, regions }) =>
        sql`SELECT p.day, p.region, p.amount, r.amount AS of FROM ${places} AS p JOIN ${regions} AS r USING (region)`,
      rows: ({ places, regions }) =>
        places.flatMap((place) =>
          regions.flatMap(({ amount, region }) => (region === place.region ? [{ ...place, of: amount }] : []))
        )
    }
  })
  return AssetGraph.make([log, sale, byPlace, byWeek, byDay, byRegion, share])
}

/** What every table holds when nothing is stale, from the sales alone. */
export const tables = (
  sales: Iterable<Sale>,
  now: string
): { readonly [asset: string]: ReadonlyArray<ReadonlyArray<string>> } => {
  const today = now.slice(0, 10)
  const counted = Array.from(sales).flatMap(({ amount, day, region }) =>
    day !== null && day >= "2024-03-01" && day < today && regions.includes(region) ? [{ amount, day, region }] : []
  )
  const totals = (keyOf: (sale: (typeof counted)[number]) => ReadonlyArray<string>) => {
    const sums = new Map<string, number>()
    for (const sale of counted) for (const key of keyOf(sale)) sums.set(key, (sums.get(key) ?? 0) + sale.amount)
    return Array.from(sums, ([key, amount]) => [...key.split("|"), String(amount)]).toSorted((a, b) =>
      a.join() < b.join() ? -1 : 1
    )
  }
  const byRegion = totals(({ region }) => [region])
  const byPlace = totals(({ day, region }) => [`${day}|${region}`])
  return {
    by_place: byPlace,
    by_day: totals(({ day }) => [day]),
    by_region: byRegion,
    // A week is there when it has ended, and begins in the range.
    by_week: totals(({ day, region }) => (areas[region] ?? []).map((area) => `${area}|${monday(day)}`)).filter(
      ([, week = ""]) => week >= "2024-03-04" && Date.parse(week) + 7 * 86_400_000 <= Date.parse(now)
    ),
    share: byPlace.map(([day = "", region = "", amount = ""]) => [
      day,
      region,
      amount,
      byRegion.find(([name]) => name === region)?.[1] ?? ""
    ])
  }
}
