import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach } from "vitest"
import { findings, laws } from "./laws.ts"

const roots: Array<string> = []

/** A repository with one test of each law, cited twice, and a page that names it; changed as a test wants. */
const judge = (changed: Readonly<Record<string, string>> = {}): ReadonlyArray<string> => {
  const root = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-laws-"))
  roots.push(root)
  const page = laws.map((law) => `## ${law} A law\n\n**Tests**: \`core/test/${law}.test.ts\`.\n`).join("\n")
  const files = {
    "docs/explanation/correctness.md": page,
    ...Object.fromEntries(
      laws.map((law) => [
        `packages/core/test/${law}.test.ts`,
        `it("one (Verifies: ${law})")\nit("two (Verifies: ${law})")`
      ])
    ),
    ...changed
  }
  for (const [file, text] of Object.entries(files)) {
    Fs.mkdirSync(Path.join(root, Path.dirname(file)), { recursive: true })
    Fs.writeFileSync(Path.join(root, file), text)
  }
  return findings(root)
}

afterEach(() => {
  for (const root of roots.splice(0)) Fs.rmSync(root, { recursive: true })
})

describe("laws", () => {
  it("are each cited by two tests at least, and the page names tests that cite them", () => {
    assert.deepStrictEqual(findings("."), [])
  })

  it("may be cited together", () => {
    const both = 'it("one (Verifies: L3, L4)")\nit("two (Verifies: L3, L4)")'
    const found = judge({ "packages/core/test/L3.test.ts": both, "packages/core/test/L4.test.ts": both })
    assert.deepStrictEqual(found, [])
  })

  it("with one citation are told", () => {
    const found = judge({ "packages/core/test/L7.test.ts": 'it("one (Verifies: L7)")' })
    assert.deepStrictEqual(found, ["L7 is cited by 1 tests; it takes 2"])
  })

  it("that are none are told", () => {
    const found = judge({ "packages/core/test/more.test.ts": 'it("one (Verifies: L13)")' })
    assert.deepStrictEqual(found, ['packages/core/test/more.test.ts cites "L13", which is no law'])
  })

  it("are not proved by a file that the page invents, or that is about another law", () => {
    const sections = laws.map((law) => {
      const file =
        law === "L2" ? "core/test/Gone.test.ts" : law === "L5" ? "core/test/L6.test.ts" : `core/test/${law}.test.ts`
      return `## ${law} A law\n\n**Tests**: \`${file}\`.\n`
    })
    assert.deepStrictEqual(judge({ "docs/explanation/correctness.md": sections.join("\n") }), [
      "docs/explanation/correctness.md names core/test/Gone.test.ts, which is not there",
      "docs/explanation/correctness.md names no tests of L2",
      "docs/explanation/correctness.md names packages/core/test/L6.test.ts as a test of L5, but it does not cite it"
    ])
  })

  it("each have a section on the page", () => {
    const sections = laws
      .filter((law) => law !== "L9")
      .map((law) => `## ${law} A law\n\n**Tests**: \`core/test/${law}.test.ts\`.\n`)
    assert.deepStrictEqual(judge({ "docs/explanation/correctness.md": sections.join("\n") }), [
      "docs/explanation/correctness.md has no section on L9"
    ])
  })
})
