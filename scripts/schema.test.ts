import { assert, describe, it } from "@effect/vitest"
import { difference } from "./schema.ts"

describe("schema", () => {
  it("finds no difference between equal texts", () => {
    assert.isUndefined(difference("a\nb\n", "a\nb\n"))
  })

  it("shows the first line that differs", () => {
    assert.strictEqual(difference("a\nb\nc", "a\nx\nd"), "line 2 is\n  b\nbut the migrations make it\n  x")
  })

  it("shows a line that is missing and one that is too many", () => {
    assert.strictEqual(difference("a", "a\nb"), "line 2 is\n  (missing)\nbut the migrations make it\n  b")
    assert.strictEqual(difference("a\nb", "a"), "line 2 is\n  b\nbut the migrations make it\n  (nothing)")
  })
})
