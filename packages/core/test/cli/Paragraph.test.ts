import * as Paragraph from "@assay/core/cli/Paragraph"
import { assert, describe, it } from "@effect/vitest"

describe("Paragraph", () => {
  it("breaks between words and indents what follows", () => {
    assert.deepStrictEqual(Paragraph.wrap("the quick brown fox jumps", { width: 11, indent: "  " }), [
      "the quick",
      "  brown fox",
      "  jumps"
    ])
  })

  it("keeps line breaks and the margin of each line", () => {
    assert.deepStrictEqual(Paragraph.wrap("one two\n  three four", { width: 9 }), ["one two", "  three", "  four"])
  })

  it("cuts a word that is wider than a line", () => {
    assert.deepStrictEqual(Paragraph.wrap("see abcdefghij now", { width: 5 }), ["see", "abcde", "fghij", "now"])
  })

  it("counts columns, not characters, and no colours", () => {
    assert.strictEqual(Paragraph.width("\u001B[32m日本\u001B[0m"), 4)
    assert.deepStrictEqual(Paragraph.wrap("日本 日本", { width: 5 }), ["日本", "日本"])
  })

  it("truncates to the width and shows that it did", () => {
    const cut = (text: string, width: number) => Paragraph.truncate(text, { width, ellipsis: "…" })
    assert.deepStrictEqual(
      [cut("abcdef", 6), cut("abcdef", 5), cut("日本語", 5), cut("e\u0301e\u0301e\u0301", 2)],
      ["abcdef", "abcd…", "日本…", "e\u0301…"]
    )
  })

  it("shows control characters instead of letting the terminal act on them", () => {
    assert.strictEqual(Paragraph.visible("a\nb\t\u001B[2Jc\u009Bd\u0000"), "a\\nb\\t\\x1b[2Jc\\x9bd\\x00")
  })
})
