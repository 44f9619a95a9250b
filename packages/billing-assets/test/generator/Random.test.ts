import { assert, describe, it } from "@effect/vitest"
import * as Random from "@assay/billing-assets/generator/Random"

const draw = (options: { readonly seed: number; readonly stream: number }, count: number): ReadonlyArray<number> => {
  const random = Random.make(options)
  return Array.from({ length: count }, () => random.next())
}

describe("Random", () => {
  it("draws the same numbers from the same seed and stream on every machine", () => {
    assert.deepStrictEqual(draw({ seed: 1, stream: 0 }, 4), [3_763_302_497, 1_492_417_958, 745_608_772, 3_654_843_060])
  })

  it("draws other numbers from another seed, also beyond 32 bits and below zero, and from another stream", () => {
    const firsts = [
      { seed: 1, stream: 0 },
      { seed: 2, stream: 0 },
      { seed: -1, stream: 0 },
      { seed: 1 + 2 ** 32, stream: 0 },
      { seed: 1, stream: 1 },
      { seed: 0, stream: 1 },
      { seed: 0, stream: 0 }
    ].map((options) => draw(options, 4).join(" "))
    assert.strictEqual(new Set(firsts).size, firsts.length)
  })

  it("keeps within its bounds and reaches both ends", () => {
    const random = Random.make({ seed: 7, stream: 3 })
    const drawn = new Set(Array.from({ length: 1000 }, () => Random.between(random, -2, 2)))
    assert.deepStrictEqual(
      [...drawn].toSorted((one, other) => one - other),
      [-2, -1, 0, 1, 2]
    )
  })

  it("decides by ten-thousandths and draws by weight", () => {
    const random = Random.make({ seed: 3, stream: 0 })
    const hits = Array.from({ length: 20_000 }, () => Random.chance(random, 500)).filter((hit) => hit).length
    assert.isTrue(hits > 850 && hits < 1150, `5 % of 20000 should be about 1000, but were ${hits}`)
    const heavy = Array.from({ length: 20_000 }, () =>
      Random.weighted(random, [
        ["never", 0],
        ["light", 1],
        ["heavy", 9]
      ])
    )
    assert.isFalse(heavy.includes("never"))
    const light = heavy.filter((option) => option === "light").length
    assert.isTrue(light > 1800 && light < 2200, `a tenth of 20000 should be about 2000, but was ${light}`)
  })

  it("never and always are certain", () => {
    const random = Random.make({ seed: 5, stream: 0 })
    assert.isFalse(Array.from({ length: 5000 }, () => Random.chance(random, 0)).includes(true))
    assert.isFalse(Array.from({ length: 5000 }, () => Random.chance(random, 10_000)).includes(false))
  })
})
