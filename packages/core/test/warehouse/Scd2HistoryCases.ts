/**
 * What becomes of a dimension whose observations arrive late, are corrected, move to another key and are taken back:
 * what is said, line by line, and the versions that stand in the end. Of several lines of one id the last one counts,
 * in whatever order they arrive (L5).
 */
/**
 * A line of what is said: id, key, instant, segment, price, email, channel. What is left out is the default; an id alone
 * takes the observation back.
 */
export type Saying =
  | readonly [id: string]
  | readonly [
      id: string,
      key: string,
      at: string,
      segment: string | null,
      price?: string | null,
      email?: string | null,
      channel?: string | null
    ]

/** A version that stands in the end: key, window, segment, price, email, channel. */
export type Version = readonly [
  key: string,
  from: string,
  to: string | null,
  segment: string | null,
  price?: string | null,
  email?: string | null,
  channel?: string | null
]

export interface History {
  readonly name: string
  readonly said: ReadonlyArray<Saying>
  readonly versions: ReadonlyArray<Version>
}

export const histories: ReadonlyArray<History> = [
  {
    name: "a late observation before the first version becomes the first",
    said: [
      ["a", "n", "05", "x"],
      ["b", "n", "09", "y"],
      ["c", "n", "02", "w"]
    ],
    versions: [
      ["n", "02", "05", "w"],
      ["n", "05", "09", "x"],
      ["n", "09", null, "y"]
    ]
  },
  {
    name: "a late observation that says what the first version says moves its start",
    said: [
      ["a", "n", "05", "x"],
      ["b", "n", "09", "y"],
      ["c", "n", "02", "x"]
    ],
    versions: [
      ["n", "02", "09", "x"],
      ["n", "09", null, "y"]
    ]
  },
  {
    name: "a late observation between two versions splits the first",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "09", "y"],
      ["c", "n", "05", "z"]
    ],
    versions: [
      ["n", "01", "05", "x"],
      ["n", "05", "09", "z"],
      ["n", "09", null, "y"]
    ]
  },
  {
    name: "a late observation that says what the next version says moves that one's start",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "09", "y"],
      ["c", "n", "05", "y"]
    ],
    versions: [
      ["n", "01", "05", "x"],
      ["n", "05", null, "y"]
    ]
  },
  {
    name: "a late observation after the last version closes it",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["c", "n", "31", "z"]
    ],
    versions: [
      ["n", "01", "05", "x"],
      ["n", "05", "31", "y"],
      ["n", "31", null, "z"]
    ]
  },
  {
    name: "there and back, and late news of the way between",
    said: [
      ["a", "n", "01", "x"],
      ["c", "n", "09", "x"],
      ["b", "n", "05", "y"],
      ["d", "n", "07", "x"]
    ],
    versions: [
      ["n", "01", "05", "x"],
      ["n", "05", "07", "y"],
      ["n", "07", null, "x"]
    ]
  },
  {
    name: "a corrected value changes the version it opened",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["b", "n", "05", "z"]
    ],
    versions: [
      ["n", "01", "05", "x"],
      ["n", "05", null, "z"]
    ]
  },
  {
    name: "a value corrected to that of its neighbours joins all three versions",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["c", "n", "09", "x"],
      ["b", "n", "05", "x"]
    ],
    versions: [["n", "01", null, "x"]]
  },
  {
    name: "a value corrected to null, and one corrected from null",
    said: [
      ["a", "n", "01", "x", "1"],
      ["b", "n", "05", null, null],
      ["a", "n", "01", null, null],
      ["b", "n", "05", "x", "1"]
    ],
    versions: [
      ["n", "01", "05", null, null],
      ["n", "05", null, "x"]
    ]
  },
  {
    name: "an instant corrected to a later one moves the boundary",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["b", "n", "08", "y"]
    ],
    versions: [
      ["n", "01", "08", "x"],
      ["n", "08", null, "y"]
    ]
  },
  {
    name: "an instant corrected past its neighbours changes the order of versions",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["c", "n", "09", "z"],
      ["a", "n", "20", "x"]
    ],
    versions: [
      ["n", "05", "09", "y"],
      ["n", "09", "20", "z"],
      ["n", "20", null, "x"]
    ]
  },
  {
    name: "an instant corrected to that of another observation makes one version of both",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["a", "n", "05", "z"]
    ],
    versions: [["n", "05", null, "z"]]
  },
  {
    name: "an observation that moves to another key leaves the one and enters the other",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["c", "s", "03", "z"],
      ["b", "s", "05", "y"]
    ],
    versions: [
      ["n", "01", null, "x"],
      ["s", "03", "05", "z"],
      ["s", "05", null, "y"]
    ]
  },
  {
    name: "the only observation moves to another key and back",
    said: [
      ["a", "n", "01", "x"],
      ["a", "s", "01", "x"],
      ["a", "n", "01", "x"]
    ],
    versions: [["n", "01", null, "x"]]
  },
  {
    name: "two observations change places",
    said: [
      ["a", "n", "01", "x"],
      ["b", "s", "01", "y"],
      ["a", "s", "01", "x"],
      ["b", "n", "01", "y"]
    ],
    versions: [
      ["n", "01", null, "y"],
      ["s", "01", null, "x"]
    ]
  },
  {
    name: "the first observation taken back takes its version along",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["c", "n", "09", "z"], ["a"]],
    versions: [
      ["n", "05", "09", "y"],
      ["n", "09", null, "z"]
    ]
  },
  {
    name: "a middle observation taken back gives its time to the one before",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["c", "n", "09", "z"], ["b"]],
    versions: [
      ["n", "01", "09", "x"],
      ["n", "09", null, "z"]
    ]
  },
  {
    name: "a middle observation taken back joins equal neighbours",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["c", "n", "09", "x"], ["b"]],
    versions: [["n", "01", null, "x"]]
  },
  {
    name: "the last observation taken back opens the version before",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["b"]],
    versions: [["n", "01", null, "x"]]
  },
  {
    name: "an observation taken back that had opened no version changes nothing",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "x"], ["c", "n", "09", "y"], ["b"]],
    versions: [
      ["n", "01", "09", "x"],
      ["n", "09", null, "y"]
    ]
  },
  {
    name: "an observation taken back leaves its version to the one that says the same later",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["c", "n", "07", "y"], ["b"]],
    versions: [
      ["n", "01", "07", "x"],
      ["n", "07", null, "y"]
    ]
  },
  {
    name: "a key whose observations are all taken back vanishes",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["c", "s", "01", "z"], ["a"], ["b"]],
    versions: [["s", "01", null, "z"]]
  },
  {
    name: "a key that vanished returns, with another past",
    said: [["a", "n", "01", "x"], ["b", "n", "05", "y"], ["a"], ["b"], ["c", "n", "03", "z"], ["a", "n", "04", "x"]],
    versions: [
      ["n", "03", "04", "z"],
      ["n", "04", null, "x"]
    ]
  },
  {
    name: "an observation is taken back before it was ever said",
    said: [["a"], ["b", "n", "05", "y"]],
    versions: [["n", "05", null, "y"]]
  },
  {
    name: "of many observations at one instant one version, whatever is taken back of them",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "05", "y"],
      ["c", "n", "05", "x"],
      ["d", "n", "05", "z"],
      ["e", "n", "05", "y", "2"],
      ["e"],
      ["d"]
    ],
    versions: [["n", "01", null, "x"]]
  },
  {
    name: "said again without a difference changes nothing",
    said: [
      ["a", "n", "01", "x"],
      ["a", "n", "01", "x"],
      ["b", "n", "05", "x"],
      ["a", "n", "01", "x"]
    ],
    versions: [["n", "01", null, "x"]]
  },
  {
    name: "type 1: only the email changes, on every version of the key",
    said: [
      ["a", "n", "01", "x", "1", "old"],
      ["b", "n", "05", "y", "1", "old"],
      ["c", "n", "09", "y", "1", "new"]
    ],
    versions: [
      ["n", "01", "05", "x", "1", "new"],
      ["n", "05", null, "y", "1", "new"]
    ]
  },
  {
    name: "type 1: a late email is not the latest",
    said: [
      ["a", "n", "01", "x", "1", "first"],
      ["c", "n", "09", "y", "1", "last"],
      ["b", "n", "05", "x", "1", "late"]
    ],
    versions: [
      ["n", "01", "09", "x", "1", "last"],
      ["n", "09", null, "y", "1", "last"]
    ]
  },
  {
    name: "type 1: the latest email taken back brings back the one before",
    said: [["a", "n", "01", "x", "1", "first"], ["b", "n", "05", "y", "1"], ["c", "n", "09", "y", "1", "last"], ["c"]],
    versions: [
      ["n", "01", "05", "x", "1", null],
      ["n", "05", null, "y", "1", null]
    ]
  },
  {
    name: "fixed: null first, then the first value; a late earlier one takes its place",
    said: [
      ["a", "n", "01", "x", "1", null, null],
      ["c", "n", "09", "y", "1", null, "web"],
      ["b", "n", "05", "y", "1", null, "shop"]
    ],
    versions: [
      ["n", "01", "05", "x", "1", null, "shop"],
      ["n", "05", null, "y", "1", null, "shop"]
    ]
  },
  {
    name: "fixed: the first value taken back leaves the next one",
    said: [
      ["a", "n", "01", "x", "1", null, "shop"],
      ["b", "n", "05", "y", "1", null, "web"],
      ["c", "n", "09", "z"],
      ["a"]
    ],
    versions: [
      ["n", "05", "09", "y", "1", null, "web"],
      ["n", "09", null, "z", "1", null, "web"]
    ]
  },
  {
    name: "tracked columns change one by one, together, and against each other",
    said: [
      ["a", "n", "01", "x", "1"],
      ["b", "n", "02", "x", "2"],
      ["c", "n", "03", "y", "2"],
      ["d", "n", "04", "x", "1"],
      ["e", "n", "05", null, "1"],
      ["f", "n", "06", "x", null],
      ["g", "n", "07", null, null]
    ],
    versions: [
      ["n", "01", "02", "x", "1"],
      ["n", "02", "03", "x", "2"],
      ["n", "03", "04", "y", "2"],
      ["n", "04", "05", "x", "1"],
      ["n", "05", "06", null, "1"],
      ["n", "06", "07", "x", null],
      ["n", "07", null, null, null]
    ]
  },
  {
    name: "neighbours of one microsecond, one of them corrected away",
    said: [
      ["a", "n", "01T00:00:00.000000", "x"],
      ["b", "n", "01T00:00:00.000001", "y"],
      ["c", "n", "01T00:00:00.000002", "z"],
      ["d", "n", "01T23:59:59.999999", "x"],
      ["e", "n", "02", "y"],
      ["b", "n", "01T00:00:00.000002", "y"]
    ],
    versions: [
      ["n", "01T00:00:00.000000", "01T00:00:00.000002", "x"],
      ["n", "01T00:00:00.000002", "01T23:59:59.999999", "y"],
      ["n", "01T23:59:59.999999", "02", "x"],
      ["n", "02", null, "y"]
    ]
  },
  {
    name: "from the first year to the last",
    said: [
      ["a", "n", "2024-02-29T12:00:00.000000", "x"],
      ["b", "n", "0001-01-01T00:00:00.000000", "w"],
      ["c", "n", "9999-12-31T23:59:59.999999", "y"],
      ["d", "n", "0999-12-31T23:59:59.999999", "v"]
    ],
    versions: [
      ["n", "0001-01-01T00:00:00.000000", "0999-12-31T23:59:59.999999", "w"],
      ["n", "0999-12-31T23:59:59.999999", "2024-02-29T12:00:00.000000", "v"],
      ["n", "2024-02-29T12:00:00.000000", "9999-12-31T23:59:59.999999", "x"],
      ["n", "9999-12-31T23:59:59.999999", null, "y"]
    ]
  },
  {
    name: "keys of two columns are kept apart, also where their texts run together",
    said: [
      ["a", "n 1", "01", "x"],
      ["b", "n 11", "01", "y"],
      ["c", "n1 1", "01", "z"],
      ["d", "n 1", "05", "z"],
      ["e", "n -1", "02", "w"]
    ],
    versions: [
      ["n -1", "02", null, "w"],
      ["n 1", "01", "05", "x"],
      ["n 1", "05", null, "z"],
      ["n 11", "01", null, "y"],
      ["n1 1", "01", null, "z"]
    ]
  },
  {
    name: "a key that is the beginning of another, and one of other case",
    said: [
      ["a", "nor", "01", "x"],
      ["b", "north", "05", "y"],
      ["c", "North", "07", "z"],
      ["d", "north\u0001", "09", "w"],
      ["b", "nor", "05", "y"]
    ],
    versions: [
      ["North", "07", null, "z"],
      ["nor", "01", "05", "x"],
      ["nor", "05", null, "y"],
      ["north\u0001", "09", null, "w"]
    ]
  },
  {
    name: "keys and values beyond ASCII, in every spelling a key of its own",
    said: [
      ["a", "nörd", "01", "é"],
      ["b", "nörd", "05", "e\u0301"],
      ["c", "no\u0308rd", "03", "ß"],
      ["d", "\u{1F600}", "01", "\u{1F600}\u200D"],
      ["e", "\uFFFD", "02", "'\"\\"]
    ],
    versions: [
      ["no\u0308rd", "03", null, "ß"],
      ["nörd", "01", "05", "é"],
      ["nörd", "05", null, "e\u0301"],
      ["\uFFFD", "02", null, "'\"\\"],
      ["\u{1F600}", "01", null, "\u{1F600}\u200D"]
    ]
  },
  {
    name: "values that only look alike are changes",
    said: [
      ["a", "n", "01", "x"],
      ["b", "n", "02", "x "],
      ["c", "n", "03", "X"],
      ["d", "n", "04", ""],
      ["e", "n", "05", null],
      ["f", "n", "06", "null"]
    ],
    versions: [
      ["n", "01", "02", "x"],
      ["n", "02", "03", "x "],
      ["n", "03", "04", "X"],
      ["n", "04", "05", ""],
      ["n", "05", "06", null],
      ["n", "06", null, "null"]
    ]
  }
]
