import { assert, describe, it } from "@effect/vitest"
import * as Amount from "@assay/billing-assets/generator/Amount"

describe("Amount", () => {
  it("prints two decimals when that is exact, else four, and keeps the sign below one", () => {
    const texts = [0n, 100n, 1n, -1n, -99n, -100n, 1_234_500n, 1_234_501n, -1_234_501n].map(Amount.toText)
    assert.deepStrictEqual(texts, [
      "0.00",
      "0.01",
      "0.0001",
      "-0.0001",
      "-0.0099",
      "-0.01",
      "123.45",
      "123.4501",
      "-123.4501"
    ])
  })

  it("prints the same number in four decimals", () => {
    assert.strictEqual(Amount.toLongText(Amount.fromCents(4900)), "49.0000")
  })

  it("stays exact where a floating-point number would not", () => {
    assert.strictEqual(Amount.toText(12_345_678_901_234_567_891n), "1234567890123456.7891")
    assert.strictEqual(Amount.toText(Amount.perMille(Amount.fromCents(1900), 667)), "12.6730")
    assert.strictEqual(Amount.toText(Amount.perMille(Amount.fromCents(110), 1100)), "1.21")
  })
})
