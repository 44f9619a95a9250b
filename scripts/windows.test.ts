import { assert, describe, it } from "@effect/vitest"
import { daily } from "../packages/core/src/Partitions.ts"
import { definitions, draw, drawn, pages, read } from "./windows.ts"

describe("pictures of windows", () => {
  it("are in the documentation as their definitions draw them", () => {
    assert.isNotEmpty(pages())
    for (const page of pages()) assert.strictEqual(read(page), drawn(read(page)), page)
  })

  it("are all shown somewhere", () => {
    const text = pages().map(read).join("\n")
    const unused = Object.keys(definitions).filter((name) => !text.includes(`<!-- windows: ${name} -->`))
    assert.deepStrictEqual(unused, [])
  })

  it("show windows where they lie, as long as they are", () => {
    assert.strictEqual(
      draw(daily({ start: "2024-03-09", end: "2024-03-11", timeZone: "America/New_York" })),
      [
        "2024-03-09  ├──────────────────┤                      2024-03-09 to 2024-03-10, 24 hours",
        "2024-03-10                      ├──────────────────┤  2024-03-10 to 2024-03-11, 23 hours"
      ].join("\n")
    )
  })

  it("cannot be of something that is not defined", () => {
    assert.throws(() => drawn("<!-- windows: moons -->\n\n```text\n```\n"), /there is no picture "moons"/)
  })
})
