/**
 * What a child run says of a mutant: caught by the assertion of a test, survived, or broken, where the tests failed for
 * another reason than that something wrong was seen. A mutant that does not even run proves nothing.
 */
import * as Schema from "effect/Schema"

export type Verdict =
  | { readonly _tag: "Caught"; readonly test: string; readonly finding: string }
  | { readonly _tag: "Survived"; readonly passed: number }
  | { readonly _tag: "Broken"; readonly where: string; readonly message: string }

/** What we read of the report that vitest writes. */
export const Report = Schema.fromJsonString(
  Schema.Struct({
    testResults: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        status: Schema.String,
        message: Schema.String,
        assertionResults: Schema.Array(
          Schema.Struct({
            fullName: Schema.String,
            status: Schema.String,
            failureMessages: Schema.NullOr(Schema.Array(Schema.String))
          })
        )
      })
    )
  })
)

export const of = ({ testResults }: typeof Report.Type): Verdict => {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = tests.filter(({ status }) => status === "failed")
  for (const { failureMessages, fullName } of failed) {
    const message = (failureMessages ?? []).join("\n")
    if (isAccident(message)) return { _tag: "Broken", where: fullName, message }
  }
  const [first] = failed
  if (first !== undefined) {
    return { _tag: "Caught", test: first.fullName, finding: findingOf((first.failureMessages ?? []).join("\n")) }
  }
  const broken = testResults.find(({ status }) => status === "failed")
  if (broken !== undefined) return { _tag: "Broken", where: broken.name, message: broken.message }
  return { _tag: "Survived", passed: tests.filter(({ status }) => status === "passed").length }
}

// --- internal ---

/** The code or its SQL did not make sense, or nothing came to an end: nobody has looked at a result. */
const isAccident = (message: string): boolean =>
  /timed out in|(Syntax|Reference|Type)Error: |syntax error at|(column|relation|function|operator|type) .* does not exist/.test(
    message
  ) || !/^AssertionError|Error: AssertionError|^Failure: AssertionError|history \d+ of \w+ is wrong/m.test(message)

/** What was said last before the stack begins. */
const findingOf = (message: string): string => {
  const lines = message.split("\n")
  const stack = lines.findIndex((line) => line.startsWith("    at "))
  return (lines.slice(0, stack < 0 ? undefined : stack).findLast((line) => line.trim() !== "") ?? "").slice(0, 200)
}
