import * as ByteOrder from "@assay/billing-assets/ByteOrder"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"

const Text = Schema.Array(Schema.Literals(["", "a", "B", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"]))

describe("ByteOrder.text", () => {
  it.prop("is the order of UTF-8 bytes", [Text, Text], ([left, right]) => {
    const [a, b] = [left.join(""), right.join("")]
    assert.strictEqual(ByteOrder.text(a, b), Buffer.compare(Buffer.from(a), Buffer.from(b)))
  })

  it("puts U+FFFF before the characters beyond it, unlike the order of code units", () => {
    assert.strictEqual(ByteOrder.text("\uffff", "\u{10000}"), -1)
    assert.deepStrictEqual(["\uffff", "\u{10000}"].toSorted(), ["\u{10000}", "\uffff"])
  })
})
