import * as Asset from "@assay/core/Asset"
import * as Column from "@assay/core/Column"
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as WriteStrategy from "@assay/core/WriteStrategy"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Edge from "./Edge.ts"

const { asOf, byColumn } = PartitionMapping

const historyOf = (things: typeof Edge.things, key: readonly ["key", ...Array<"id">] = ["key"]) =>
  Asset.make("history", {
    description: "What the states said through time",
    columns: Schema.Struct({
      sk: Column.text,
      key: Column.text,
      id: Column.text,
      note: Column.text,
      valid_from: Column.timestamp,
      valid_to: Column.nullable(Column.timestamp),
      is_current: Column.boolean
    }),
    inputs: { states: Asset.input(things, byColumn(...key), { where: { kind: ["state"] } }) },
    write: WriteStrategy.scd2({
      key,
      surrogateKey: "sk",
      validFrom: "valid_from",
      validTo: "valid_to",
      isCurrent: "is_current",
      tracked: ["note"]
    }),
    compute: {
      rows: ({ states }) =>
        states
          .toSorted((one, other) => (one.at < other.at ? -1 : 1))
          .map(({ at, id, key, note }, _sequence) => ({ id, key, note, valid_from: at, _sequence }))
    }
  })

const attributes = { day: Column.date, id: Column.text, key: Column.text, at: Column.timestamp, note: Column.text }

const attributed = (
  things: typeof Edge.things,
  mapping: PartitionMapping.AsOf<"facts", "key", "at" | "key">,
  history: ReturnType<typeof historyOf> = historyOf(things)
) =>
  Asset.make("reader", {
    description: "Facts with what their key's state said then",
    // What is read of a fact shows, so that a fact which is said again in other words is a row that differs.
    columns: Schema.Struct(attributes),
    partitions: Edge.daily,
    inputs: {
      facts: Asset.input(things, byColumn("day"), { columns: ["id", "key", "day", "at"], where: { kind: ["fact"] } }),
      history: Asset.input(history, mapping, { columns: ["key", "note", "valid_from", "valid_to"] })
    },
    write: WriteStrategy.replacePartitions("day", { key: ["day", "id"] }),
    policy: Edge.policy,
    compute: {
      rows: ({ facts, history }) =>
        facts.flatMap(({ at, day, id, key }) => {
          const held = history.find(
            (one) => one.key === key && one.valid_from <= at && (one.valid_to === null || at < one.valid_to)
          )
          return day === null ? [] : [{ day, id, key, at, note: held?.note ?? "" }]
        })
    }
  })

const then = asOf({ facts: "facts", key: "key", at: "at", bounds: "compared" })

describe("asOf", () => {
  it("is read from rows: partitions alone do not tell, and bounds show where nothing else is said", () => {
    const cuts = { from: Edge.daily, to: Edge.daily }
    assert.isUndefined(Edge.reached(then, cuts, "2024-02-03"))
    assert.isUndefined(Edge.needed(then, cuts, "2024-02-03"))
    assert.isUndefined(Edge.required(then, cuts, "2024-02-03"))
    assert.strictEqual(asOf({ facts: "facts", key: "key", at: "at" }).bounds, "shown")
    assert.strictEqual(PartitionMapping.format(then), "facts by key as of at")
  })

  it("looks facts up in a history, by its one key and a time", () => {
    const refusal = (
      mapping: PartitionMapping.AsOf<"facts", "key", "at" | "key">,
      history?: ReturnType<typeof historyOf>
    ) => Edge.refusal(() => attributed(Edge.things, mapping, history))
    assert.strictEqual(refusal(then), "none")
    assert.strictEqual(
      refusal({ ...then, at: "key" }),
      `Asset "reader": input "history" is looked up as of "key", which is neither a date nor a timestamp.`
    )
    assert.strictEqual(
      refusal(then, historyOf(Edge.things, ["key", "id"])),
      `Asset "reader": input "history" looks a fact up by one key, but the key of "history" is key, id.`
    )
    assert.strictEqual(
      Edge.refused("whole", then, "days"),
      `Asset "reader": input "upstream" is mapped as of a time: it must be an scd2 asset, and its facts "facts" be mapped by column.`
    )
  })

  it.effect.prop(
    "a fact is made of what its key's last state said by then, and of no other (Verifies: L1, L7)",
    { drains: Edge.Drains },
    Edge.follows({
      assets: (things) => {
        const history = historyOf(things)
        return [history, attributed(things, then, history)]
      },
      units: Edge.days,
      table: (things) =>
        things.flatMap(({ at, day, id, key, kind }) => {
          const states = things.filter((thing) => thing.kind === "state" && thing.key === key && thing.at <= at)
          const said = states.reduce((one, other) => (one.at < other.at ? other : one), { at: "", note: "" })
          return kind === "fact" && Edge.days.some((known) => known === day)
            ? [[day ?? "", id, key, at, said.note]]
            : []
        })
    }),
    { arbitrary: { runs: 40 } }
  )
})
