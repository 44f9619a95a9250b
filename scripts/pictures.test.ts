import { assert, describe, it } from "@effect/vitest"
import { pages, read, redraw } from "./pictures.ts"
import { draw } from "./windows.ts"
import { daily } from "../packages/core/src/Partitions.ts"

describe("pictures", () => {
  it.each(Object.entries(pages))("show on %s what the engine does, each somewhere (Verifies: L7)", (file, pictures) => {
    const drawn = redraw(read(file), pictures())
    assert.isNotEmpty(pictures())
    assert.deepStrictEqual(drawn.changed, [])
    assert.strictEqual(drawn.page, read(file))
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

  it("finds a picture that is another one, that nobody draws, and that no page shows", () => {
    const block = (name: string, picture: string) => `<!-- picture: ${name} -->\n\n\`\`\`text\n${picture}\`\`\`\n`
    const drawn = new Map([
      ["same", "a\n"],
      ["other", "b\n"],
      ["unseen", "c\n"]
    ])
    const { changed, page } = redraw(block("same", "a\n") + block("other", "x\n") + block("strange", "y\n"), drawn)
    assert.deepStrictEqual(changed, ["other", "strange", "unseen"])
    assert.strictEqual(page, block("same", "a\n") + block("other", "b\n") + block("strange", "y\n"))
  })
})
