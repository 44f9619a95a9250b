import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { expectations, files, verdict } from "./typetest.ts"
import type { Verdict } from "./typetest.ts"

const folders = Fs.globSync("packages/*/typetest").filter((folder) => files(folder).length > 0)

describe.each(folders.toSorted())("%s", (folder) => {
  let found: Verdict

  beforeAll(() => {
    found = verdict(folder)
  })

  it.each(files(folder))("%s compiles where it must", (file) => {
    assert.deepStrictEqual(found.unexpected(file), [])
  })

  for (const expectation of files(folder).flatMap((file) => expectations(folder, file))) {
    const { file, line, words } = expectation
    it(`${Path.basename(file)}:${line} does not compile${words === "" ? "" : `: ${words}`}`, () => {
      assert.isUndefined(found.judge(expectation))
    })
  }
})
