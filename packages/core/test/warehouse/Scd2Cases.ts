/**
 * What becomes of observations in a slowly changing dimension: rows in, versions out. The order of the rows never
 * matters (L5); every warehouse and the pure function are held to the same table.
 */
import { event, type Event } from "./World.ts"

/** Day of January 2024 (and time), segment, and what else is not the default. */
export interface Observation {
  readonly at: string
  readonly segment: string | null
  readonly price?: string | null
  readonly email?: string | null
  readonly channel?: string | null
  readonly sequence?: number
}

/** Columns: valid_from, valid_to, segment, price, email, channel. */
export type Version = readonly [string, string | null, string | null, string | null, string | null, string | null]

export interface Case {
  readonly name: string
  readonly observations: ReadonlyArray<Observation>
  readonly versions: ReadonlyArray<Version>
}

export const cases: ReadonlyArray<Case> = [
  { name: "nothing observed has no version", observations: [], versions: [] },
  {
    name: "one observation is one open version",
    observations: [{ at: "01", segment: "a" }],
    versions: [["01", null, "a", "1.00", null, null]]
  },
  {
    name: "a change closes one version and opens the next",
    observations: [
      { at: "01", segment: "a" },
      { at: "05", segment: "b" }
    ],
    versions: [
      ["01", "05", "a", "1.00", null, null],
      ["05", null, "b", "1.00", null, null]
    ]
  },
  {
    name: "observations out of order give the same versions",
    observations: [
      { at: "09", segment: "c" },
      { at: "01", segment: "a" },
      { at: "05", segment: "b" }
    ],
    versions: [
      ["01", "05", "a", "1.00", null, null],
      ["05", "09", "b", "1.00", null, null],
      ["09", null, "c", "1.00", null, null]
    ]
  },
  {
    name: "an observation that changes nothing opens no version",
    observations: [
      { at: "01", segment: "a" },
      { at: "03", segment: "a" },
      { at: "05", segment: "a" }
    ],
    versions: [["01", null, "a", "1.00", null, null]]
  },
  {
    name: "a late observation splits the version it falls into",
    observations: [
      { at: "01", segment: "a" },
      { at: "09", segment: "a" },
      { at: "05", segment: "b" }
    ],
    versions: [
      ["01", "05", "a", "1.00", null, null],
      ["05", "09", "b", "1.00", null, null],
      ["09", null, "a", "1.00", null, null]
    ]
  },
  {
    name: "there and back are three versions",
    observations: [
      { at: "01", segment: "a" },
      { at: "02", segment: "b" },
      { at: "03", segment: "a" }
    ],
    versions: [
      ["01", "02", "a", "1.00", null, null],
      ["02", "03", "b", "1.00", null, null],
      ["03", null, "a", "1.00", null, null]
    ]
  },
  {
    name: "from a value to null is a change",
    observations: [
      { at: "01", segment: "a" },
      { at: "02", segment: null }
    ],
    versions: [
      ["01", "02", "a", "1.00", null, null],
      ["02", null, null, "1.00", null, null]
    ]
  },
  {
    name: "from null to a value is a change",
    observations: [
      { at: "01", segment: null },
      { at: "02", segment: "a" }
    ],
    versions: [
      ["01", "02", null, "1.00", null, null],
      ["02", null, "a", "1.00", null, null]
    ]
  },
  {
    name: "from null to null is none",
    observations: [
      { at: "01", segment: null, price: null },
      { at: "02", segment: null, price: null }
    ],
    versions: [["01", null, null, null, null, null]]
  },
  {
    name: "null and the empty text differ",
    observations: [
      { at: "01", segment: null },
      { at: "02", segment: "" }
    ],
    versions: [
      ["01", "02", null, "1.00", null, null],
      ["02", null, "", "1.00", null, null]
    ]
  },
  {
    name: "of several observations at one instant the last counts",
    observations: [
      { at: "01", segment: "a" },
      { at: "02", segment: "c", sequence: 3 },
      { at: "02", segment: "b", sequence: 2 },
      { at: "02", segment: "d", sequence: 10 }
    ],
    versions: [
      ["01", "02", "a", "1.00", null, null],
      ["02", null, "d", "1.00", null, null]
    ]
  },
  {
    name: "there and back within one instant is no change",
    observations: [
      { at: "01", segment: "a" },
      { at: "02", segment: "b", sequence: 1 },
      { at: "02", segment: "a", sequence: 2 }
    ],
    versions: [["01", null, "a", "1.00", null, null]]
  },
  {
    name: "a microsecond makes a version of its own",
    observations: [
      { at: "01T00:00:00.000001", segment: "b" },
      { at: "01", segment: "a" }
    ],
    versions: [
      ["01", "01T00:00:00.000001", "a", "1.00", null, null],
      ["01T00:00:00.000001", null, "b", "1.00", null, null]
    ]
  },
  {
    name: "numbers are compared as numbers",
    observations: [
      { at: "01", segment: "a", price: "10" },
      { at: "02", segment: "a", price: "10.00" }
    ],
    versions: [["01", null, "a", "10.00", null, null]]
  },
  {
    name: "a second tracked column counts as the first",
    observations: [
      { at: "01", segment: "a", price: "10" },
      { at: "02", segment: "a", price: "-10" }
    ],
    versions: [
      ["01", "02", "a", "10.00", null, null],
      ["02", null, "a", "-10.00", null, null]
    ]
  },
  {
    name: "type 1: the latest value stands on every version",
    observations: [
      { at: "01", segment: "a", email: "old" },
      { at: "02", segment: "b", email: "mid" },
      { at: "03", segment: "b", email: "new" }
    ],
    versions: [
      ["01", "02", "a", "1.00", "new", null],
      ["02", null, "b", "1.00", "new", null]
    ]
  },
  {
    name: "type 1: a latest null stands too",
    observations: [
      { at: "01", segment: "a", email: "old" },
      { at: "02", segment: "b", email: null }
    ],
    versions: [
      ["01", "02", "a", "1.00", null, null],
      ["02", null, "b", "1.00", null, null]
    ]
  },
  {
    name: "type 1: at one instant the last observation counts",
    observations: [
      { at: "01", segment: "a", email: "second", sequence: 2 },
      { at: "01", segment: "a", email: "first", sequence: 1 }
    ],
    versions: [["01", null, "a", "1.00", "second", null]]
  },
  {
    name: "fixed: the first value that is not null stands on every version",
    observations: [
      { at: "03", segment: "c", channel: "later" },
      { at: "01", segment: "a", channel: null },
      { at: "02", segment: "b", channel: "web" }
    ],
    versions: [
      ["01", "02", "a", "1.00", null, "web"],
      ["02", "03", "b", "1.00", null, "web"],
      ["03", null, "c", "1.00", null, "web"]
    ]
  },
  {
    name: "fixed: an observation that loses its instant still gives the first value",
    observations: [
      { at: "01", segment: "a", channel: "first", sequence: 1 },
      { at: "01", segment: "b", channel: "second", sequence: 2 }
    ],
    versions: [["01", null, "b", "1.00", null, "first"]]
  },
  {
    name: "tied in instant and sequence, the last by content counts",
    observations: [
      { at: "01", segment: "c" },
      { at: "01", segment: "a" },
      { at: "01", segment: "b" }
    ],
    versions: [["01", null, "c", "1.00", null, null]]
  },
  {
    name: "tied: equal contents are one",
    observations: [
      { at: "01", segment: "a" },
      { at: "01", segment: "a" }
    ],
    versions: [["01", null, "a", "1.00", null, null]]
  },
  {
    name: "tied: null comes after every value",
    observations: [
      { at: "01", segment: null },
      { at: "01", segment: "z" }
    ],
    versions: [["01", null, null, "1.00", null, null]]
  },
  {
    name: "tied: texts are ordered by their bytes, not by code units or by a language",
    observations: [
      { at: "01", segment: "\u{1F600}" },
      { at: "01", segment: "\uFFFD" },
      { at: "02", segment: "a" },
      { at: "02", segment: "B" }
    ],
    versions: [
      ["01", "02", "\u{1F600}", "1.00", null, null],
      ["02", null, "a", "1.00", null, null]
    ]
  },
  {
    name: "tied: numbers are ordered as numbers",
    observations: [
      { at: "01", segment: "a", price: "10" },
      { at: "01", segment: "a", price: "9" },
      { at: "02", segment: "a", price: "-10" },
      { at: "02", segment: "a", price: "-9" }
    ],
    versions: [
      ["01", "02", "a", "10.00", null, null],
      ["02", null, "a", "-9.00", null, null]
    ]
  },
  {
    name: "tied: type 1 takes the last by content, fixed the first",
    observations: [
      { at: "01", segment: "a", email: "n", channel: "late" },
      { at: "01", segment: "a", email: "m", channel: "soon" }
    ],
    versions: [["01", null, "a", "1.00", "n", "soon"]]
  }
]

/** The events whose observations these are. */
export const eventsOf = (region: string, { observations }: Pick<Case, "observations">): ReadonlyArray<Event> =>
  observations.map(({ at, channel = null, email = null, price = "1", segment, sequence }, index) =>
    event(`${email ?? "-"}:${region}:${index}`, {
      region,
      line: sequence ?? 1,
      kind: channel ?? "-",
      note: segment,
      amount: price,
      at: instant(at)
    })
  )

/** The rows of the dimension that are expected: the version's columns and is_current. */
export const rowsOf = ({ versions }: Pick<Case, "versions">): ReadonlyArray<ReadonlyArray<string | null>> =>
  versions.map(([from, to, ...attributes]) => [
    instant(from),
    to === null ? null : instant(to),
    ...attributes,
    String(to === null)
  ])

export const shown = ["valid_from", "valid_to", "segment", "price", "email", "channel", "is_current"]

// --- internal ---

const instant = (at: string): string => `2024-01-${at.length === 2 ? `${at}T00:00:00.000000` : at}Z`
