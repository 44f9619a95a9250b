import { assert, describe, it } from "@effect/vitest"
import * as Verdict from "./Verdict.ts"

const report = (...tests: ReadonlyArray<readonly [status: string, message?: string]>): typeof Verdict.Report.Type => ({
  testResults: [
    {
      name: "Net.test.ts",
      status: tests.some(([status]) => status === "failed") ? "failed" : "passed",
      message: "",
      assertionResults: tests.map(([status, message], index) => ({
        fullName: `test ${index + 1}`,
        status,
        failureMessages: message === undefined ? [] : [message]
      }))
    }
  ]
})

describe("the verdict on a mutant", () => {
  it("is that it was caught where a test has seen something wrong", () => {
    const message = "AssertionError: expected 1 to equal 2\n    at Net.test.ts:1:1"
    assert.deepStrictEqual(Verdict.of(report(["passed"], ["failed", message], ["skipped"])), {
      _tag: "Caught",
      test: "test 2",
      finding: "AssertionError: expected 1 to equal 2"
    })
  })

  it("is that it was caught where a history came out wrong, by what was said last of it", () => {
    const message =
      "Error: history 1 of shop is wrong\nland\nError: fresh units of silver_orders differ\n    at Trial.ts:1:1"
    assert.deepInclude(Verdict.of(report(["failed", message])), {
      _tag: "Caught",
      finding: "Error: fresh units of silver_orders differ"
    })
  })

  it("is that it survived where every test passed", () => {
    assert.deepStrictEqual(Verdict.of(report(["passed"], ["skipped"])), { _tag: "Survived", passed: 1 })
  })

  it("is that it broke where the tests could not look at a result", () => {
    const accidents = [
      "Error: Test timed out in 1000ms.",
      "TypeError: late is not a function",
      'AssertionError: expected "syntax error at or near FROM" to equal "succeeded"',
      "Error: connect ECONNREFUSED"
    ]
    for (const accident of accidents) assert.deepInclude(Verdict.of(report(["failed", accident])), { _tag: "Broken" })
  })

  it("is that it broke where a file of tests did not load", () => {
    const unloaded = { name: "Net.test.ts", status: "failed", message: "no such module", assertionResults: [] }
    assert.deepStrictEqual(Verdict.of({ testResults: [unloaded] }), {
      _tag: "Broken",
      where: "Net.test.ts",
      message: "no such module"
    })
  })
})
