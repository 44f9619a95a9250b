import type { Column } from "@assay/core/Column"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { Postgres } from "@assay/core/postgres/Postgres"
import { identifier, sql } from "@assay/core/Sql"
import { fromPartitions, listed } from "@assay/core/Unit"
import * as MemoryUnit from "@assay/core/warehouse/MemoryUnit"
import * as SqlUnit from "@assay/core/warehouse/SqlUnit"
import { transact } from "./World.ts"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { postgres } from "./layers.ts"

const zones = [
  "UTC",
  "America/New_York",
  "Europe/Berlin",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "America/Havana",
  "America/Sao_Paulo",
  "America/Asuncion",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Antarctica/Troll",
  "Africa/Casablanca",
  "Asia/Tehran",
  "America/St_Johns"
]

const cuts = (timeZone: string) => ({
  hourly: Partitions.hourly({ start: "2000-01-01", timeZone }),
  daily: Partitions.daily({ start: "2000-01-01", timeZone }),
  weekly: Partitions.weekly({ start: "2000-01-01", timeZone, firstDayOfWeek: 6 }),
  monthly: Partitions.monthly({ start: "2000-01-01", timeZone }),
  quarterly: Partitions.quarterly({ start: "2000-01-01", timeZone }),
  yearly: Partitions.yearly({ start: "2000-01-01", timeZone })
})

/** Cuts whose windows begin at odd times, on some days only, or several times a day. */
const oddCuts = (timeZone: string) => {
  const options = { start: "2000-01-01", timeZone }
  const weekends = ["0 0 * * 6,0"]
  return {
    "half past": Partitions.hourly({ ...options, minuteOffset: 30 }),
    "daily at 02:30": Partitions.daily({ ...options, hourOffset: 2, minuteOffset: 30 }),
    "weekly on Wednesday at 04:15": Partitions.weekly({
      ...options,
      firstDayOfWeek: 3,
      hourOffset: 4,
      minuteOffset: 15
    }),
    "monthly on the 12th at 03:15": Partitions.monthly({ ...options, dayOffset: 12, hourOffset: 3, minuteOffset: 15 }),
    "quarters of a year from February": Partitions.quarterly({ ...options, firstMonth: 2 }),
    "years from July 4": Partitions.yearly({ ...options, firstMonth: 7, dayOffset: 4 }),
    "every 15 minutes": Partitions.cron("*/15 * * * *", options),
    "every four hours": Partitions.cron("0 */4 * * *", options),
    "thrice at night": Partitions.cron("0,30 1-3 * * *", options),
    "hours of workdays": Partitions.cron("0 * * * 1-5", options),
    "the 13th and Fridays": Partitions.cron("0 0 13 * 5", options),
    "29 February": Partitions.cron("0 6 29 2 *", options),
    "working days": Partitions.daily({ ...options, exclusions: [...weekends, "2024-12-25", "2016-11-06"] }),
    "hours of days but Sundays": Partitions.hourly({ ...options, exclusions: ["0 0 * * 0"] })
  }
}

const column = (kind: Column["kind"]): Column => ({ name: "value", kind, isNullable: false, description: undefined })

/** Every 23 minutes of the days around each change of the clock since 2012, and every 17 hours of the rest. */
const instants = (partitions: Partitions.TimeWindows): ReadonlyArray<string> => {
  const first = DateTime.makeUnsafe("2012-01-01T00:00:00Z").epochMilliseconds
  const days = Array.from({ length: 365 * 13 }, (_, index) => first + index * 86_400_000)
  const isLong = (at: number) => {
    const { end, start } = Partitions.windowAt(partitions, at)
    return end - start !== 86_400_000
  }
  const around = days
    .filter(isLong)
    .flatMap((day) => Array.from({ length: 200 }, (_, index) => day - 86_400_000 + index * 23 * 60_000))
  const sparse = Array.from({ length: 2000 }, (_, index) => first + index * 17 * 3_600_000)
  return [...around, ...sparse].map((at) => DateTime.formatIso(DateTime.makeUnsafe(at)).replace("Z", "999Z"))
}

const dates = Array.from({ length: 365 * 13 }, (_, index) =>
  DateTime.formatIsoDateUtc(DateTime.add(DateTime.makeUnsafe("2012-01-01T00:00:00Z"), { days: index }))
)

describe("SqlUnit", () => {
  it.layer(postgres)((it) => {
    for (const timeZone of zones) {
      for (const [cadence, partitions] of Object.entries({ ...cuts(timeZone), ...oddCuts(timeZone) })) {
        it.effect(`names the ${cadence} partitions of ${timeZone} as the calendar does`, () =>
          Effect.gen(function* () {
            const pg = yield* Postgres
            const compare = Effect.fnUntraced(function* (
              of: Column,
              type: "date" | "timestamptz",
              values: ReadonlyArray<string>
            ) {
              const unit = SqlUnit.ofPartition(partitions, of, sql`v.${identifier("value")}::${identifier(type)}`)
              const found = yield* transact(
                pg.query(
                  sql`SELECT ${unit} AS unit FROM unnest(${values}::text[]) WITH ORDINALITY AS v(value, position) ORDER BY position`,
                  Schema.Struct({ unit: Schema.NullOr(Schema.String) })
                )
              )
              const expected = values.map((value) => MemoryUnit.ofPartition(partitions, of)({ value }))
              const wrong = values.flatMap((value, index) =>
                found[index]?.unit === expected[index] ? [] : [[value, found[index]?.unit, expected[index]]]
              )
              assert.deepStrictEqual(wrong.slice(0, 5), [])
            })
            yield* compare(column({ _tag: "Timestamp" }), "timestamptz", instants(cuts(timeZone).daily))
            yield* compare(column({ _tag: "Date" }), "date", dates)
          })
        )

        it.effect(`finds what lies in every other of the ${cadence} partitions of ${timeZone}`, () =>
          Effect.gen(function* () {
            const pg = yield* Postgres
            const found = Effect.fnUntraced(function* (
              of: Column,
              type: "date" | "timestamptz",
              values: ReadonlyArray<string>
            ) {
              const unitOf = (value: string) => MemoryUnit.ofPartition(partitions, of)({ value })
              const keys = Array.from(new Set(values.map(unitOf)))
                .flatMap((unit) => (unit === null ? [] : [unit]))
                .toSorted()
                .filter((_, index) => index % 2 === 0)
              const set = PartitionSet.fromKnownKeys(partitions, keys)
              const scope = { units: listed(keys), partitions: fromPartitions(set) }
              const cell = { column: of, value: sql`v.value::${identifier(type)}` }
              const rows = yield* transact(
                pg.query(
                  sql`SELECT value, (${SqlUnit.inPartitions(partitions, [cell], scope)}) IS TRUE AS by_scope,
                      (${SqlUnit.inSome(set, [cell])}) IS TRUE AS by_set
                    FROM unnest(${values}::text[]) AS v(value)`,
                  Schema.Struct({ value: Schema.String, by_scope: Schema.Boolean, by_set: Schema.Boolean })
                )
              )
              assert.strictEqual(rows.length, values.length)
              const wanted = new Set<string | null>(keys)
              const wrong = rows.filter(({ by_scope, by_set, value }) => {
                const isIn = wanted.has(unitOf(value))
                return by_scope !== isIn || by_set !== isIn
              })
              assert.deepStrictEqual(wrong.slice(0, 5), [])
            })
            yield* found(column({ _tag: "Timestamp" }), "timestamptz", instants(cuts(timeZone).daily).slice(0, 600))
            yield* found(column({ _tag: "Date" }), "date", dates.slice(0, 1000))
          })
        )
      }
    }
  })
})
