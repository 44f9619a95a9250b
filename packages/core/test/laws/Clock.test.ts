import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { layerMemory, Time } from "../shop/Storage.ts"
import { lies, order, parcel, rows, shop } from "../shop/Trade.ts"

const packages = Path.join(import.meta.dirname, "..", "..", "..")

/** The code of a file without its comments. */
const code = (file: string): string =>
  Fs.readFileSync(Path.join(packages, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")

const asks =
  /\bDateTime\.now|\bClock\.(?:current|Clock\b)|\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b|\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp)\(\)|\bCURRENT_(?:DATE|TIME|TIMESTAMP)\b/

const orders = [
  order("1", "01-25", { tier: "silver" }),
  order("2", "02-10", { tier: "gold", store: "west" }),
  order("3", "02-10", { customer: "bob", amount: 7 }),
  order("3", "02-12", { customer: "bob", amount: 9, seen: "02-20" }),
  order("4", "03-03T10:30", { customer: "bob", store: "east" }),
  order("2", "02-10", { is_deleted: true, seen: "03-04" })
]

/** The tables after each order was landed and built at its time, as far as their partitions exist at every time. */
const tables = (times: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.gen(function* () {
    const { assay, feed } = yield* shop()
    const time = yield* Time
    for (const [index, said] of orders.entries()) {
      yield* time.set(times[index] ?? times[0])
      yield* feed.deliver(parcel(String(index), [said]))
      yield* assay.materialize({ assets: [] })
    }
    // Partitions that came to exist while the clock was ahead exist until it is there again.
    yield* time.set(times.toSorted().at(-1) ?? times[0])
    yield* assay.materialize({ assets: [] })
    assert.deepStrictEqual(yield* lies(assay, { strict: true }), [])
    return yield* Effect.all({
      silver: rows(assay, "silver_orders"),
      last: rows(assay, "last_orders"),
      versions: rows(assay, "dim_customer"),
      days: rows(assay, "gold_daily", "..2024-03-05"),
      months: rows(assay, "mart_monthly", "..2024-02"),
      hours: rows(assay, "hourly_orders", "..2024-03-05T11:00")
    })
  }).pipe(Effect.provide(layerMemory))

describe("the clock", () => {
  it("is read by execution and the command line, and where files and processes are waited for (Verifies: L12)", () => {
    const readers = Fs.globSync("*/src/**/*.ts", { cwd: packages })
      .map((file) => file.replaceAll(Path.sep, "/"))
      .filter((file) => asks.test(code(file)))
    const places = readers.map((file) => (file === "core/src/Assay.ts" ? "the front door" : Path.posix.dirname(file)))
    assert.deepStrictEqual(Array.from(new Set(places)).toSorted(), [
      "core/src/cli",
      "core/src/execution",
      // How long to wait for a process of the machine.
      "core/src/postgres",
      // Whether a file was at rest when it was read; its rows are the same either way.
      "core/src/source",
      "the front door"
    ])
  })

  it.effect("decides which partitions there are, and never what is in one (Verifies: L5, L12)", () =>
    Effect.gen(function* () {
      const noon = "2024-03-05T12:00:00Z"
      const expected = yield* tables([noon])
      assert.isAbove(expected.days.length, 2)
      const times = [
        "2024-03-05T12:00:00Z",
        "2024-03-20T00:00:00Z",
        "2024-04-01T00:00:00Z",
        "2024-04-01T00:00:01Z"
      ] as const
      assert.deepStrictEqual(yield* tables([...times, "2024-04-02T00:00:00Z", "2024-04-20T23:59:59Z"]), expected)
    })
  )

  it.effect("may go backwards between runs (Verifies: L5, L12)", () =>
    Effect.gen(function* () {
      const noon = "2024-03-05T12:00:00Z"
      const expected = yield* tables([noon])
      assert.deepStrictEqual(
        yield* tables([
          "2024-04-10T00:00:00Z",
          "2024-04-01T12:00:00Z",
          "2024-04-01T11:59:59Z",
          "2024-03-31T23:00:00Z",
          "2024-03-06T00:00:00Z",
          noon
        ]),
        expected
      )
    })
  )
})
