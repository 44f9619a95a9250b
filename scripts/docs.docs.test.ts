import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as Fs from "node:fs"
import * as TestDatabase from "../packages/core/test/support/TestDatabase.ts"
import { blocks, follow, isTypeScript, run, tutorials, typeCheck } from "./docs.ts"

const all = blocks()

describe("documentation", () => {
  let complaints: ReturnType<typeof typeCheck>

  beforeAll(() => {
    complaints = typeCheck(all)
  })

  for (const block of all.filter(isTypeScript)) {
    it(`${block.file}:${block.line} compiles`, () => {
      assert.deepStrictEqual(complaints(block), [])
    })
  }

  for (const page of tutorials(all)) {
    it(`${page[0]?.file} can be followed`, async () => {
      assert.deepStrictEqual(await follow(page), [])
    })
  }
})

const examples = Fs.globSync("examples/*.ts").toSorted()

for (const example of examples.filter((file) => !file.includes("postgres"))) {
  it(`${example} runs`, async () => {
    const outcome = await run("node", { arguments: [example], folder: "." })
    assert.strictEqual(outcome.exitCode, 0, outcome.output)
  })
}

for (const example of examples.filter((file) => file.includes("postgres"))) {
  it.effect(`${example} runs`, () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase.TestDatabase
      const environment = { DATABASE_URL: Redacted.value(url) }
      const outcome = yield* Effect.promise(() => run("node", { arguments: [example], folder: ".", environment }))
      assert.strictEqual(outcome.exitCode, 0, outcome.output)
    }).pipe(Effect.provide(TestDatabase.layerDatabase))
  )
}
