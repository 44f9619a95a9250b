/**
 * Things by day and shelf: the part of the reach suite whose assets are cut in several ways at once, each with what it is
 * made of, said once more and plainly.
 */
import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as MaterializationPolicy from "@assay/core/MaterializationPolicy"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as Partitions from "@assay/core/Partitions"
import { sql } from "@assay/core/Sql"
import type { Unit } from "@assay/core/Unit"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import * as Schema from "effect/Schema"

/** What is read of a thing. */
export interface Thing {
  readonly id: string
  readonly day: string | null
  readonly shelf: string
  readonly note: string
}

const days = ["2024-03-04", "2024-03-05", "2024-03-06"]
const shelves = ["high", "low", "middle"]
const cases: { readonly [bookcase: string]: ReadonlyArray<string> } = {
  left: ["high", "middle"],
  right: ["low", "middle"]
}
/** Days of a definition without end, as far as they exist. */
const lately = ["2024-03-17", "2024-03-18", "2024-03-19"]

const day = Partitions.daily({ start: "2024-03-04", end: "2024-03-07" })
const shelf = Partitions.fromKeys(shelves)
const dayAndShelf = Partitions.multi({ day, shelf })
const policy = MaterializationPolicy.make({ stepSize: 1, incompleteWindows: "build" })

const columns = Schema.Struct({
  unit: Column.text,
  id: Column.text,
  note: Column.text,
  day: Column.date,
  shelf: Column.text
})
const write = WriteStrategy.replacePartitions({ day: "day", shelf: "shelf" }, { key: ["day", "shelf", "id"] })

/** What the unit of the step was given, under the unit's name. */
const listing = (units: ReadonlyArray<Unit>, given: ReadonlyArray<Pick<Thing, "id" | "note">>) =>
  units.flatMap(({ unit }) => {
    const [day = "", shelf = ""] = unit.split("|")
    return given.map(({ id, note }) => ({ unit, id, note, day, shelf }))
  })

const seen = { columns: ["id", "note"] } as const

/** The opposite shelf on the same day. */
const opposite = (key: string): ReadonlyArray<string> => {
  const [day = "", shelf = ""] = key.split("|")
  return [`${day}|${shelves.toReversed()[shelves.indexOf(shelf)] ?? shelf}`]
}

export const assets = (
  thing: Asset.Asset<"thing", Thing>,
  byDay: Asset.Asset<"by_day", { readonly id: string; readonly note: string }>,
  byShelf: Asset.Asset<"by_shelf", { readonly id: string; readonly note: string }>
) => {
  const byDayAndShelf = Asset.make("by_day_and_shelf", {
    description: "Things by day and shelf",
    columns,
    partitions: dayAndShelf,
    inputs: {
      things: Asset.input(thing, PartitionMapping.byColumn("day", "shelf"), { columns: ["id", "day", "shelf", "note"] })
    },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const samePlace = Asset.make("same_place", {
    description: "The things of the same day and shelf",
    columns,
    partitions: dayAndShelf,
    inputs: { things: Asset.input(byDayAndShelf, PartitionMapping.identity, seen) },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const oppositePlace = Asset.make("opposite_place", {
    description: "The things of the same day on the opposite shelf",
    columns,
    partitions: dayAndShelf,
    inputs: {
      things: Asset.input(
        byDayAndShelf,
        PartitionMapping.custom({ name: "opposite", version: "1", downstream: opposite, upstream: opposite }),
        seen
      )
    },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const onePlace = Asset.make("one_place", {
    description: "The things of one day and shelf, everywhere",
    columns,
    partitions: dayAndShelf,
    inputs: { things: Asset.input(byDayAndShelf, PartitionMapping.keys("2024-03-04|low"), seen) },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const aroundInCase = Asset.make("around_in_case", {
    description: "The things of the day before, the day and the day after, in the bookcase of their shelf",
    columns: Schema.Struct({
      unit: Column.text,
      id: Column.text,
      note: Column.text,
      day: Column.date,
      bookcase: Column.text
    }),
    partitions: Partitions.multi({ bookcase: Partitions.fromKeys(Object.keys(cases)), date: day }),
    inputs: {
      things: Asset.input(
        byDayAndShelf,
        PartitionMapping.byDimension({
          date: PartitionMapping.fromDimension("day", PartitionMapping.timeWindows({ startOffset: -1, endOffset: 1 })),
          bookcase: PartitionMapping.fromDimension(
            "shelf",
            PartitionMapping.staticMap({ high: "left", low: "right", middle: ["left", "right"] })
          )
        }),
        seen
      )
    },
    write: WriteStrategy.replacePartitions({ bookcase: "bookcase", date: "day" }, { key: ["bookcase", "day", "id"] }),
    policy,
    compute: {
      rows: ({ things, units }) =>
        units.flatMap(({ unit }) => {
          const [bookcase = "", day = ""] = unit.split("|")
          return things.map(({ id, note }) => ({ unit, id, note, day, bookcase }))
        })
    }
  })
  const sameShelf = Asset.make("same_shelf", {
    description: "The things of the same shelf, whatever the day",
    columns,
    partitions: dayAndShelf,
    inputs: {
      things: Asset.input(byDayAndShelf, PartitionMapping.byDimension({ shelf: PartitionMapping.identity }), seen)
    },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const anyShelf = Asset.make("any_shelf", {
    description: "The things of the day and the day before on all shelves",
    columns: Schema.Struct({ day: Column.date, id: Column.text, note: Column.text }),
    partitions: day,
    inputs: {
      things: Asset.input(
        byDayAndShelf,
        PartitionMapping.singleDimension("day", PartitionMapping.timeWindows({ startOffset: -1 })),
        seen
      )
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy,
    compute: {
      rows: ({ things, units }) => units.flatMap(({ unit }) => things.map(({ id, note }) => ({ day: unit, id, note })))
    }
  })
  const everyShelf = Asset.make("every_shelf", {
    description: "The things of the day, on every shelf",
    columns,
    partitions: dayAndShelf,
    inputs: { things: Asset.input(byDay, PartitionMapping.singleDimension("day"), seen) },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const lateShelf = Asset.make("late_shelf", {
    description: "The things of the shelf, on every day of a definition without end",
    columns,
    partitions: Partitions.multi({ day: Partitions.daily({ start: "2024-03-17" }), shelf }),
    inputs: { things: Asset.input(byShelf, PartitionMapping.singleDimension("shelf"), seen) },
    write,
    policy,
    compute: { rows: ({ things, units }) => listing(units, things) }
  })
  const view = Asset.make("place_view", {
    description: "Things by day and shelf, as they are stored",
    columns,
    partitions: dayAndShelf,
    inputs: { things: Asset.input(byDayAndShelf, PartitionMapping.identity) },
    write: WriteStrategy.view,
    compute: {
      rows: ({ things }) => things,
      sql: ({ things }) => sql`SELECT unit, id, note, day, shelf FROM ${things} AS t`
    }
  })
  const throughView = Asset.make("through_view", {
    description: "The things that a view shows of the same day and shelf",
    columns,
    partitions: dayAndShelf,
    inputs: { things: Asset.input(view, PartitionMapping.identity) },
    write,
    policy,
    compute: {
      rows: ({ things, units }) => things.filter((thing) => units.some(({ unit }) => unit === thing.unit))
    }
  })
  return [
    byDayAndShelf,
    samePlace,
    oppositePlace,
    onePlace,
    aroundInCase,
    sameShelf,
    anyShelf,
    everyShelf,
    lateShelf,
    view,
    throughView
  ] as const
}

interface Relation {
  readonly units: ReadonlyArray<string>
  readonly table: (things: ReadonlyArray<Thing>) => ReadonlyArray<ReadonlyArray<string>>
}

const places = (days: ReadonlyArray<string>, shelves: ReadonlyArray<string>) =>
  days.flatMap((day) => shelves.map((shelf) => `${day}|${shelf}`))

/** A unit with what it depends on, and its parts. */
const whenNeeded = (
  units: ReadonlyArray<string>,
  needs: (parts: readonly [first: string, second: string], thing: Thing & { readonly day: string }) => boolean,
  parts: (first: string, second: string) => ReadonlyArray<string> = (first, second) => [first, second]
): Relation => ({
  units,
  table: (things) =>
    units.flatMap((unit) => {
      const [first = "", second = ""] = unit.split("|")
      return things.flatMap((thing) =>
        thing.day !== null && needs([first, second], { ...thing, day: thing.day })
          ? [[unit, thing.id, thing.note, ...parts(first, second)]]
          : []
      )
    })
})

const isStored = (date: string): boolean => days.includes(date)

/** In days, between days of one month. */
const distance = (unit: string, day: string): number => Number(day.slice(8)) - Number(unit.slice(8))

const isOn = ([day, shelf]: readonly [string, string], thing: Thing) => thing.day === day && thing.shelf === shelf

export const relations = {
  ByColumns: { by_day_and_shelf: whenNeeded(places(days, shelves), isOn) },
  Identity: {
    same_place: whenNeeded(places(days, shelves), isOn),
    through_view: whenNeeded(places(days, shelves), isOn)
  },
  Custom: {
    opposite_place: whenNeeded(places(days, shelves), ([day, shelf], thing) =>
      opposite(`${day}|${shelf}`).includes(`${thing.day}|${thing.shelf}`)
    )
  },
  Keys: {
    one_place: whenNeeded(places(days, shelves), (_, thing) => isOn(["2024-03-04", "low"], thing))
  },
  ByDimension: {
    around_in_case: whenNeeded(
      Object.keys(cases).flatMap((bookcase) => days.map((day) => `${bookcase}|${day}`)),
      ([bookcase, unit], { day, shelf }) =>
        isStored(day) && Math.abs(distance(unit, day)) <= 1 && (cases[bookcase]?.includes(shelf) ?? false),
      (bookcase, day) => [day, bookcase]
    ),
    same_shelf: whenNeeded(places(days, shelves), ([, own], { day, shelf }) => isStored(day) && shelf === own)
  },
  SingleDimension: {
    any_shelf: whenNeeded(
      days,
      ([unit], { day }) => isStored(day) && distance(unit, day) >= -1 && distance(unit, day) <= 0,
      () => []
    ),
    every_shelf: whenNeeded(places(days, shelves), ([unit], { day }) => day === unit),
    late_shelf: {
      units: places(lately, shelves),
      table: (things) =>
        places(lately, shelves).flatMap((unit) => {
          const [day = "", own = ""] = unit.split("|")
          return things.flatMap(({ id, note, shelf }) => (shelf === own ? [[unit, id, note, day, own]] : []))
        })
    }
  }
} satisfies Record<string, Record<string, Relation>>
