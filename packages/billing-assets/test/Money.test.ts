import * as Money from "@assay/billing-assets/Money"
import { assert, describe, it } from "@effect/vitest"
import { BigDecimal, Schema } from "effect"

const Digits = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })))

describe("Money.fromText", () => {
  it.prop(
    "reads every amount of the contract exactly",
    [Digits, Digits, Schema.Boolean],
    ([whole, fraction, isNegative]) => {
      const [before, after] = [[0, ...whole].slice(0, 16).join(""), fraction.slice(0, 4).join("")]
      const text = `${isNegative ? "-" : ""}${before}${after === "" ? "" : `.${after}`}`
      const value = Money.fromText(text)
      assert.isDefined(value)
      assert.isTrue(BigDecimal.equals(value, BigDecimal.fromStringUnsafe(text)))
    }
  )

  it("takes no spelling for more digits than the contract allows", () => {
    assert.isUndefined(Money.fromText("00000000000000001"))
    assert.isUndefined(Money.fromText("1.00000"))
  })
})
