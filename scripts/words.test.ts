import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { onTestFinished } from "vitest"
import { findings } from "./words.ts"

const check = (file: string, text: string): ReadonlyArray<string> => {
  const root = Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-words-"))
  onTestFinished(() => Fs.rmSync(root, { recursive: true }))
  Fs.mkdirSync(Path.join(root, Path.dirname(file)), { recursive: true })
  Fs.writeFileSync(Path.join(root, file), text)
  return findings(root).map((finding) => finding.replace(/^(\S+) ("[^"]*").*$/, "$1 $2"))
}

describe("words", () => {
  it("refuses files that are named after no noun", () => {
    for (const name of ["utils", "helpers", "types", "errors", "PlanManager", "RunnerLive"]) {
      const file = `packages/core/src/planning/${name}.ts`
      assert.deepStrictEqual(check(file, ""), [`${file}:1 "${name}"`])
    }
  })

  it("refuses declarations that hide their noun and words with two meanings", () => {
    const text = [
      "export class EventLogImpl {}",
      "interface IEventLog {}",
      "export type RunInfo = string",
      "export const warehouseLive = 1",
      "const snapshot = 1",
      "function restatePartitions() {}",
      "export class Job {}"
    ].join("\n")
    assert.deepStrictEqual(
      check("packages/core/src/Run.ts", text).map((finding) => finding.split(" ")[1]),
      ['"EventLogImpl"', '"IEventLog"', '"RunInfo"', '"warehouseLive"', '"snapshot"', '"restatePartitions"', '"Job"']
    )
  })

  it("refuses SQL that reads the clock or closes a window at its end", () => {
    const text = "const a = sql`SELECT now()`\nconst b = sql`d < CURRENT_DATE`\nconst c = sql`d BETWEEN ${1} AND ${2}`"
    assert.deepStrictEqual(check("packages/core/src/ledger/SqlRun.ts", text), [
      'packages/core/src/ledger/SqlRun.ts:1 "now()"',
      'packages/core/src/ledger/SqlRun.ts:2 "CURRENT_DATE"',
      'packages/core/src/ledger/SqlRun.ts:3 "BETWEEN ${"'
    ])
  })

  it("refuses tests that are focused or left out", () => {
    const [focus, leaveOut] = ["only", "skip"]
    const text = `it.effect.${focus}("a", f)
describe.${leaveOut}("b", g)
it.effect("c", h)`
    assert.deepStrictEqual(check("packages/core/test/Run.test.ts", text), [
      'packages/core/test/Run.test.ts:1 "it.effect.only"',
      'packages/core/test/Run.test.ts:2 "describe.skip"'
    ])
  })

  it("accepts plain nouns, comments and questions", () => {
    const text = [
      "// an EventLogImpl would read now()",
      "/* const snapshot = 1 */",
      "export class TableSnapshot {}",
      "export const isLive = true",
      "export const dataVersion = DateTime.now",
      "const at = clock.now()"
    ].join("\n")
    assert.deepStrictEqual(check("packages/core/src/ledger/EventLog.ts", text), [])
  })
})
