import * as ExactJson from "@assay/core/source/ExactJson"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"

const parsed = (text: string) => Result.getOrThrow(ExactJson.parse(text))

describe("ExactJson", () => {
  it("keeps numbers that JavaScript holds exactly, and the text of all others", () => {
    assert.deepStrictEqual(parsed("[0, -1.50, 123456789012345, 0.1]"), [0, -1.5, 123456789012345, 0.1])
    assert.deepStrictEqual(parsed('{"a":[9007199254740993, 1e400, 1E-400, 0.12345678901234567]}'), {
      a: ["9007199254740993", "1e400", "1E-400", "0.12345678901234567"]
    })
    assert.deepStrictEqual(parsed("12345678901234567890"), "12345678901234567890")
  })

  it("gives the number of a column as its text, and only there", () => {
    const columns = new Set(["amount", "constructor"])
    const object = ExactJson.parseObject('{"amount":1.50,"other":1.50,"deep":{"amount":1.50},"list":[1]}', columns)
    assert.deepStrictEqual(Result.getOrThrow(object), { amount: "1.50", other: 1.5, deep: { amount: 1.5 }, list: [1] })
  })

  it("finds the text of a column's number, whatever stands around it", () => {
    const tokens = [
      "1.50",
      "-0",
      "1e5",
      "12345678901234567890",
      '"amount"',
      '{"amount":2.0}',
      '"\\"amount\\":7"',
      "[0.10]"
    ]
    const names = fc.uniqueArray(fc.constantFrom("amount", "am\\u006funt_", "note", "a b", ":", "total"))
    const spaces = fc.constantFrom("", " ", "\t ")
    fc.assert(
      fc.property(
        names,
        fc.array(fc.constantFrom(...tokens), { minLength: 6, maxLength: 6 }),
        spaces,
        (names, tokens, s) => {
          const text = `{${names.map((name, index) => `${s}"${name}"${s}:${s}${tokens[index]}${s}`).join()}}`
          const object = Result.getOrThrow(ExactJson.parseObject(text, new Set(["amount", "total"])))
          for (const [index, name] of names.entries()) {
            if (name !== "amount" && name !== "total") continue
            const token = tokens[index] ?? ""
            assert.deepStrictEqual(object[name], /^[-\d]/.test(token) ? token : JSON.parse(token))
          }
        }
      ),
      { numRuns: 500 }
    )
  })

  it("takes __proto__ for a field like any other", () => {
    const object = Result.getOrThrow(ExactJson.parseObject('{"__proto__":{"a":1},"n":1e5}', new Set()))
    assert.deepStrictEqual(Object.entries(object), [
      ["__proto__", { a: 1 }],
      ["n", "1e5"]
    ])
    assert.strictEqual(Object.getPrototypeOf(object), Object.prototype)
  })

  it("refuses what a database cannot store, in keys as in values", () => {
    const nul = "contains the character U+0000 (\\u0000), which a database cannot store"
    const surrogate = "contains half of a surrogate pair, which is no character"
    for (const text of ['"\\u0000"', '{"a\\u0000":1}', '[["\\u0000"]]']) {
      assert.deepStrictEqual(ExactJson.parse(text), Result.fail(nul))
    }
    for (const text of ['"\\ud83d"', '{"\\udc00":1}'])
      assert.deepStrictEqual(ExactJson.parse(text), Result.fail(surrogate))
    assert.deepStrictEqual(parsed('"\\ud83d\\ude00 \\\\u0000"'), "😀 \\u0000")
  })

  it("refuses nesting beyond its limit, however deep it goes", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
    assert.isTrue(Result.isSuccess(ExactJson.parse(nested(100))))
    for (const depth of [101, 500_000]) {
      assert.deepStrictEqual(ExactJson.parse(nested(depth)), Result.fail("nested more than 100 levels deep"))
    }
  })

  it("refuses text that is no JSON", () => {
    for (const text of ["", "{", "NaN", "01", "'a'", '{"a":1,}', '"\u0001"']) {
      const result = ExactJson.parse(text)
      assert.isTrue(Result.isFailure(result) && result.failure.startsWith("not valid JSON: "), text)
    }
  })
})
