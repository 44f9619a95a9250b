import * as Run from "@assay/core/Run"
import { assert, describe, it } from "@effect/vitest"

const events: ReadonlyArray<Run.RunEvent> = ["beat", "succeed", "fail", "skip", "cancel"]

describe("Run", () => {
  it("goes on while it is running, to the state that the event names", () => {
    assert.deepStrictEqual(
      events.map((event) => Run.transition("running", event)),
      ["running", "succeeded", "failed", "skipped", "cancelled"]
    )
  })

  it("stays as it finished, whatever is reported later", () => {
    for (const status of Run.FinishedRunStatus.literals) {
      assert.deepStrictEqual(
        events.map((event) => Run.transition(status, event)),
        events.map(() => "ignored")
      )
      assert.isTrue(Run.isFinished(status))
    }
    assert.isFalse(Run.isFinished("running"))
  })

  it("knows the event that leads to each state, and from where", () => {
    for (const status of Run.RunStatus.literals) {
      assert.strictEqual(Run.transition("running", Run.eventTo(status)), status)
      assert.deepStrictEqual(Run.movedBy(Run.eventTo(status)), ["running"])
    }
  })
})
