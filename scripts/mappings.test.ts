import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { pictures, redraw } from "./mappings.ts"

const page = Fs.readFileSync(Path.join(import.meta.dirname, "..", "docs", "reference", "mappings.md"), "utf8")

describe("mappings", () => {
  it("shows on the page of mappings what the engine does (Verifies: L7)", () => {
    const drawn = redraw(page, pictures())
    assert.deepStrictEqual(drawn.changed, [])
    assert.strictEqual(drawn.page, page)
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
