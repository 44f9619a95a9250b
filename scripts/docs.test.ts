import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { onTestFinished } from "vitest"
import type { Block } from "./docs.ts"
import { follow, parse, typeCheck } from "./docs.ts"

const page = (...lines: ReadonlyArray<string>) => parse("docs/tutorial/planted-page.md", lines.join("\n"))

const followed = (blocks: ReadonlyArray<Block>): Promise<ReadonlyArray<string>> => {
  onTestFinished(() => Fs.rmSync("examples/.tutorial/docs__tutorial__planted-page.md", { recursive: true }))
  return follow(blocks)
}

describe("docs", () => {
  it("finds the blocks of a page with their lines, markers and languages", () => {
    const found = page(
      "# Title",
      "<!-- run -->",
      "",
      "```sh",
      "ls",
      "```",
      "- item",
      "",
      "  ~~~ts continued",
      "  a",
      "  ~~~"
    )
    assert.deepStrictEqual(found, [
      { file: found[0]?.file ?? "", line: 4, language: "sh", continued: false, marker: "run", code: [[5, "ls"]] },
      { file: found[0]?.file ?? "", line: 9, language: "ts", continued: true, marker: "", code: [[10, "a"]] }
    ])
  })

  it("finds the examples of documentation comments and nothing else in sources", () => {
    const text = "/**\n * **Example**\n *\n * ```ts\n * const a = 1\n *\n * ```\n */\nconst b = sql`\n```ts\n`"
    const found = parse("packages/core/src/Asset.ts", text)
    assert.deepStrictEqual(
      found.map(({ line, code }) => [line, code]),
      [
        [
          4,
          [
            [5, "const a = 1"],
            [6, ""]
          ]
        ]
      ]
    )
  })

  it("names the line of the page at which a block does not compile", () => {
    const found = page(
      "```ts",
      "const a: number = 1",
      "```",
      "```ts continued",
      "export const b: string = a",
      "```",
      "```ts",
      "a",
      "```"
    )
    const complaints = typeCheck(found, ".docs-planted")
    onTestFinished(() => Fs.rmSync("examples/.docs-planted", { recursive: true }))
    assert.deepStrictEqual(found.map(complaints), [
      [],
      ["docs/tutorial/planted-page.md:5 TS2322: Type 'number' is not assignable to type 'string'."],
      ["docs/tutorial/planted-page.md:8 TS2304: Cannot find name 'a'."]
    ])
  })

  it("follows a page from an empty folder with the Node of the workspace", async () => {
    const program = "console.log(`node ${process.versions.node.split('.')[0]}\\nsecond\\nthird`)"
    const found = page(
      "<!-- file: src/hello.ts -->\n```ts",
      program,
      "```\n<!-- run -->\n```sh\nls\nnode src/hello.ts\n```",
      `<!-- output -->\n\`\`\`text\nnode ${process.versions.node.split(".")[0]}\n…\nthird\n\`\`\``
    )
    assert.deepStrictEqual(await followed(found), [])
  })

  it("tells which step of a page failed and what it printed", async () => {
    const found = page("<!-- run -->", "```sh", "echo before", "false", "echo after", "```")
    assert.deepStrictEqual(await followed(found), [
      "docs/tutorial/planted-page.md:2 ended with exit code 1 and printed:\nbefore\n"
    ])
  })

  it("tells which promised line was not printed", async () => {
    const found = page(
      "<!-- run -->",
      "```sh",
      "echo one; echo two",
      "```",
      "<!-- output -->",
      "```",
      "two",
      "one",
      "```"
    )
    assert.deepStrictEqual(await followed(found), [
      'docs/tutorial/planted-page.md:6 promises the line "one", but the run printed:\none\ntwo\n'
    ])
  })

  it("refuses a marker that it does not know", async () => {
    const found = page("<!-- runn -->", "```sh", "true", "```")
    assert.deepStrictEqual(await followed(found), [
      'docs/tutorial/planted-page.md:2 has the marker "runn"; known are "run", "output" and "file: <name>"'
    ])
  })
})
