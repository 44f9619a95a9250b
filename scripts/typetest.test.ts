import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { onTestFinished } from "vitest"
import { expectations, verdict } from "./typetest.ts"

describe("typetest", () => {
  it("compares every expected error with what the compiler says", () => {
    const folder = Fs.mkdtempSync(Path.join(import.meta.dirname, ".typetest-"))
    onTestFinished(() => Fs.rmSync(folder, { recursive: true }))
    const text = [
      "export const fine: number = 1",
      "// @ts-expect-error: Type 'string' is not assignable to type 'number'",
      'export const right: number = "one"',
      "// @ts-expect-error: cannot be revenue",
      'export const otherWords: number = "one"',
      "// @ts-expect-error",
      "// with a remark between",
      "export const anyWords: string = 1",
      "// @ts-expect-error: anything",
      "export const compiles: number = 1",
      "export const surprise: boolean = 1"
    ]
    Fs.writeFileSync(Path.join(folder, "sample.ts"), text.join("\n"))
    const found = verdict(folder)
    assert.deepStrictEqual(
      expectations(folder, "sample.ts").map((expectation) => [expectation.line, found.judge(expectation)]),
      [
        [2, undefined],
        [
          4,
          "line 5 fails with other words.\n  expected: cannot be revenue\n" +
            "  found:    Type 'string' is not assignable to type 'number'."
        ],
        [6, undefined],
        [9, "line 10 compiles, but must not"]
      ]
    )
    assert.deepStrictEqual(
      found.unexpected("sample.ts").map((complaint) => complaint.replace(/^.*sample\.ts/, "sample.ts")),
      ["sample.ts:11 TS2322: Type 'number' is not assignable to type 'boolean'."]
    )
  })
})
