import * as TimeWindow from "@assay/core/TimeWindow"
import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"

const march = TimeWindow.make(Date.UTC(2024, 2, 1), Date.UTC(2024, 3, 1))
const april = TimeWindow.make(Date.UTC(2024, 3, 1), Date.UTC(2024, 4, 1))
const spring = TimeWindow.make(march.start, april.end)

describe("TimeWindow", () => {
  it("holds its start and not its end", () => {
    assert.isFalse(TimeWindow.contains(march, march.start - 1))
    assert.isTrue(TimeWindow.contains(march, march.start))
    assert.isTrue(TimeWindow.contains(march, march.end - 1))
    assert.isFalse(TimeWindow.contains(march, march.end))
  })

  it("shares no instant with its neighbour", () => {
    assert.isFalse(TimeWindow.overlaps(march, april))
    assert.deepStrictEqual(TimeWindow.intersection(march, april), Option.none())
  })

  it("shares with an overlapping window what both hold", () => {
    const middle = TimeWindow.make(march.end - 10, march.end + 5)
    assert.isTrue(TimeWindow.overlaps(march, middle))
    assert.deepStrictEqual(
      TimeWindow.intersection(march, middle),
      Option.some({ start: march.end - 10, end: march.end })
    )
    assert.deepStrictEqual(
      TimeWindow.intersection(middle)(april),
      Option.some({ start: april.start, end: april.start + 5 })
    )
  })

  it("encloses its parts, itself and the empty window", () => {
    assert.isTrue(TimeWindow.encloses(spring, april))
    assert.isTrue(TimeWindow.encloses(spring, spring))
    assert.isFalse(TimeWindow.encloses(april, spring))
    assert.isTrue(TimeWindow.encloses(april, TimeWindow.make(0, 0)))
  })

  it("may be open on either side", () => {
    const since = TimeWindow.make(march.start, Number.POSITIVE_INFINITY)
    assert.isTrue(TimeWindow.contains(since, Date.UTC(9999, 0, 1)))
    assert.deepStrictEqual(TimeWindow.intersection(since, spring), Option.some(spring))
    assert.strictEqual(TimeWindow.format(since), "[2024-03-01T00:00:00.000Z, open)")
  })

  it("is empty, and overlaps nothing, when it ends where it starts", () => {
    const nothing = TimeWindow.make(march.start + 1, march.start + 1)
    assert.isTrue(TimeWindow.isEmpty(nothing))
    assert.strictEqual(TimeWindow.duration(nothing), 0)
    assert.isFalse(TimeWindow.overlaps(nothing, march))
    assert.isFalse(TimeWindow.overlaps(march, nothing))
  })

  it.each([
    [2, 1],
    [0.5, 1],
    [0, Number.NaN]
  ])("cannot run from %d to %d", (start, end) => {
    assert.throws(() => TimeWindow.make(start, end), /^a time window cannot run from/)
  })

  it("sorts by start, then by end", () => {
    const sorted = [april, spring, march].toSorted(TimeWindow.order)
    assert.deepStrictEqual(sorted, [march, spring, april])
  })

  const Bound = Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 20 }))

  it.prop("overlaps exactly when some instant lies in both", [Bound, Bound, Bound, Bound], ([a, b, c, d]) => {
    const left = TimeWindow.make(Math.min(a, b), Math.max(a, b))
    const right = TimeWindow.make(Math.min(c, d), Math.max(c, d))
    const instants = Array.from({ length: 41 }, (_, index) => index - 20)
    const shared = instants.filter((at) => TimeWindow.contains(left, at) && TimeWindow.contains(right, at))
    assert.strictEqual(TimeWindow.overlaps(left, right), shared.length > 0)
    assert.strictEqual(
      Option.match(TimeWindow.intersection(left, right), { onNone: () => 0, onSome: TimeWindow.duration }),
      shared.length
    )
  })
})
