import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as Scd2 from "@assay/core/warehouse/Scd2"
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import * as Dimension from "./Dimension.ts"
import { cases, eventsOf, rowsOf, shown } from "./Scd2Cases.ts"
import { events } from "./World.ts"

const dimension = Dimension.make("dimension", events("log"))

const observationsOf = (one: (typeof cases)[number]): ReadonlyArray<Column.Row> =>
  eventsOf("north", one).map(({ amount, at, id, kind, line, note }) => ({
    region: "north",
    segment: note,
    price: amount,
    email: id.startsWith("-") ? null : (id.split(":")[0] ?? null),
    channel: kind === "-" ? null : kind,
    valid_from: at,
    _sequence: line
  }))

const texts = (rows: ReadonlyArray<Column.Row>) =>
  rows.map((row) => shown.map((name) => Column.toText(Asset.columnUnsafe(dimension, name), row[name] ?? null)))

describe("Scd2", () => {
  for (const one of cases) {
    it(`${one.name} (Verifies: L10)`, () => {
      const observations = observationsOf(one)
      assert.deepStrictEqual(texts(Scd2.versions(dimension, Dimension.write, observations)), rowsOf(one))
      assert.deepStrictEqual(texts(Scd2.versions(dimension, Dimension.write, observations.toReversed())), rowsOf(one))
    })
  }

  it("keeps keys apart and leaves the observations as they are", () => {
    const observations = ["south", "north"].map((region): Column.Row => ({
      region,
      segment: null,
      price: BigDecimal.fromBigInt(1n),
      email: null,
      channel: null,
      valid_from: "2024-01-01T00:00:00.000000Z",
      _sequence: 1
    }))
    const versions = Scd2.versions(dimension, Dimension.write, observations)
    assert.deepStrictEqual(
      versions.map(({ region }) => region),
      ["south", "north"]
    )
    assert.strictEqual(new Set(versions.map(({ sk }) => sk)).size, 2)
    assert.deepStrictEqual(
      observations.map(({ region }) => region),
      ["south", "north"]
    )
  })
})
