import * as Invocation from "@assay/core/cli/Invocation"
import { assert, describe, it } from "@effect/vitest"

const bin = "/home/ada/work/packages/billing/src/bin.ts"

const script = (userAgent: string, execPath = "/usr/bin/pnpm", scripts: ReadonlyArray<string> = ["assay"]) => ({
  userAgent,
  execPath,
  scripts
})

describe("Invocation", () => {
  it.each<readonly [string, Partial<Invocation.Invocation>]>([
    ["pnpm assay", { script: script("pnpm/12.21.0 npm/? node/? linux x64") }],
    [
      "npx -y pnpm@12 assay",
      { script: script("pnpm/12.21.0 npm/?", "/home/ada/.npm/_npx/9c70/node_modules/pnpm/bin/pnpm.cjs") }
    ],
    ["npm run assay --", { script: script("npm/11.19.1 node/v24.1.0") }],
    ["yarn assay", { script: script("yarn/4.1.0 npm/?") }],
    ["node packages/billing/src/bin.ts", { script: script("pnpm/12.21.0", "/usr/bin/pnpm", ["build"]) }],
    ["node packages/billing/src/bin.ts", { script: script("something else") }],
    ["node packages/billing/src/bin.ts", {}],
    ["node src/bin.ts", { directory: "/home/ada/work/packages/billing" }],
    [`node ${bin}`, { directory: "/home/ad" }],
    ["node 'my revenue.ts'", { program: "/home/ada/work/my revenue.ts" }],
    ["npx assay", { program: "/home/ada/work/node_modules/@assay/billing-assets/dist/bin.js" }]
  ])("is called as %j", (expected, facts) => {
    const invocation = { script: undefined, program: bin, directory: "/home/ada/work", ...facts }
    assert.strictEqual(Invocation.call(invocation, "assay"), expected)
  })
})
