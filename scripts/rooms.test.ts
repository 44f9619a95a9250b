import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach } from "vitest"
import { findings } from "./rooms.ts"

const roots: Array<string> = []

/** Lays files out in a repository of their own and judges it. */
const judge = (files: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const root = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-rooms-"))
  roots.push(root)
  for (const [file, text] of Object.entries(files)) {
    Fs.mkdirSync(Path.join(root, Path.dirname(file)), { recursive: true })
    Fs.writeFileSync(Path.join(root, file), text)
  }
  return findings(root)
}

afterEach(() => {
  for (const root of roots.splice(0)) Fs.rmSync(root, { recursive: true })
})

const core = "packages/core/src"

describe("rooms", () => {
  it("accepts imports that go down, within a room, and through the front door", () => {
    const found = judge({
      [`${core}/index.ts`]: `export * as Plan from "./planning/Plan.ts"\nexport * as Cli from "./cli/Cli.ts"`,
      [`${core}/Asset.ts`]: `import { brand } from "./internal/brand.ts"`,
      [`${core}/internal/brand.ts`]: `import type { Name } from "../Name.ts"`,
      [`${core}/Name.ts`]: `export type Name = string`,
      [`${core}/planning/Plan.ts`]: `import * as Asset from "../Asset.ts"\nimport * as Step from "./Step.ts"`,
      [`${core}/planning/Step.ts`]: `import { Ledger } from "../ledger/Ledger.ts"`,
      [`${core}/ledger/Ledger.ts`]: 'const query = sql`SELECT * from "ledger"."run"`',
      [`${core}/cli/Cli.ts`]: `import * as Server from "../server/Server.ts"\nconst Late = import("../Asset.ts")`,
      [`${core}/server/Server.ts`]: `/** import * as Cli from "../cli/Cli.ts" */`,
      "packages/billing-assets/src/index.ts": `import * as Plan from "@assay/core/planning/Plan"\nimport {} from "@assay/core"`,
      "packages/core/test/Plan.test.ts": `import * as Plan from "@assay/core/planning/Plan"\nimport "../src/internal/brand.ts"`,
      "examples/01.ts": `import * as Billing from "@assay/billing-assets"`
    })
    assert.deepStrictEqual(found, [])
  })

  it("refuses an import of a room above, with the line and both ranks", () => {
    const found = judge({
      [`${core}/planning/Plan.ts`]: `import * as Effect from "effect/Effect"\nimport * as Runner from "../execution/Runner.ts"`
    })
    assert.deepStrictEqual(found, [
      `packages/core/src/planning/Plan.ts:2 imports "../execution/Runner.ts": "planning" (3) stands below "execution" (4); move what both need down, or pass it in`
    ])
  })

  it("refuses re-exports, dynamic imports and type imports that go up", () => {
    const found = judge({
      [`${core}/Asset.ts`]: [
        `export * from "./ledger/Ledger.ts"`,
        `const plan = () => import("./planning/Plan.ts")`,
        `import type { Run } from "./execution/Run.ts"`,
        `import {\n  type Table\n} from "./warehouse/Table.ts"`
      ].join("\n")
    })
    assert.deepStrictEqual(
      found.map((finding) => finding.split(" imports ")[0]),
      [`${core}/Asset.ts:1`, `${core}/Asset.ts:2`, `${core}/Asset.ts:3`, `${core}/Asset.ts:6`]
    )
  })

  it.each([
    ["ledger", "warehouse"],
    ["source", "ledger"],
    ["lineage", "observability"],
    ["server", "cli"],
    ["testing", "server"]
  ])("refuses that %s sees its sibling %s", (from, to) => {
    const found = judge({ [`${core}/${from}/A.ts`]: `import * as B from "../${to}/B.ts"` })
    assert.strictEqual(found.length, 1)
    assert.include(found[0], `"${from}" and "${to}" are siblings`)
  })

  it("refuses that a room imports the front door", () => {
    const found = judge({ [`${core}/execution/Runner.ts`]: `import { Assay } from "../Assay.ts"` })
    assert.strictEqual(found.length, 1)
    assert.include(found[0], `"execution" (4) stands below "front door" (6)`)
  })

  it("asks for a rank when it meets an unknown room", () => {
    const found = judge({ [`${core}/cellar/Wine.ts`]: `import * as Asset from "../Asset.ts"` })
    assert.strictEqual(found.length, 1)
    assert.include(found[0], `the room "cellar" has no rank`)
  })

  it("tells a cycle once, type imports included", () => {
    const found = judge({
      [`${core}/B.ts`]: `import type { C } from "./C.ts"`,
      [`${core}/C.ts`]: `import { A } from "./A.ts"`,
      [`${core}/A.ts`]: `import { B } from "./B.ts"`,
      [`${core}/D.ts`]: `import { A } from "./A.ts"`
    })
    assert.deepStrictEqual(found, [`import cycle: ${core}/A.ts → ${core}/B.ts → ${core}/C.ts → ${core}/A.ts`])
  })

  it("keeps other packages, examples and tests to public specifiers", () => {
    const found = judge({
      [`${core}/Asset.ts`]: `import * as Billing from "@assay/billing-assets"`,
      [`${core}/Plan.ts`]: `import * as Asset from "@assay/core/Asset"`,
      [`${core}/internal/brand.ts`]: "",
      [`${core}/Unit.ts`]: "",
      "packages/billing-assets/src/index.ts": [
        `import * as Unit from "../../core/src/Unit.ts"`,
        `import * as Brand from "@assay/core/internal/brand"`,
        `import * as Missing from "@assay/core/Missing"`
      ].join("\n"),
      "packages/core/test/Asset.test.ts": `import * as Asset from "../src/Asset.ts"`,
      "packages/core/test/Prng.ts": `import * as Feed from "../../billing-assets/test/Feed.ts"`,
      "packages/billing-assets/test/Feed.ts": "",
      "packages/billing-assets/test/Graph.test.ts": `import * as Prng from "../../core/test/Prng.ts"`,
      "examples/01.ts": `import * as Asset from "../packages/core/src/Asset.ts"`
    })
    assert.deepStrictEqual(
      found.map((finding) => finding.replace(/^(\S+) imports "[^"]+"/, "$1")),
      [
        `examples/01.ts:1: another package is imported by name, as "@assay/…"`,
        `packages/billing-assets/src/index.ts:1: another package is imported by name, as "@assay/…"`,
        `packages/billing-assets/src/index.ts:2: "internal" is private to @assay/core`,
        `packages/billing-assets/src/index.ts:3: no such public module; public modules are the files of packages/core/src`,
        `packages/core/src/Asset.ts:1: @assay/core knows no other package`,
        `packages/core/src/Plan.ts:1: a file of the same package is imported by its relative path`,
        `packages/core/test/Asset.test.ts:1: tests import what users import, "@assay/core/Asset"`,
        `packages/core/test/Prng.ts:1: another package is imported by name, as "@assay/…"`
      ]
    )
  })
})
