import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"

const soak = (...args: ReadonlyArray<string>) => {
  const script = Path.resolve(import.meta.dirname, "soak.ts")
  const { status, stderr, stdout } = ChildProcess.spawnSync(process.execPath, [script, ...args], { encoding: "utf8" })
  return { status, stderr, stdout }
}

describe("pnpm soak", () => {
  it("says what it can do", () => {
    const { status, stdout } = soak("--help")
    assert.strictEqual(status, 0)
    for (const flag of ["--graph", "--minutes", "--from-seed", "--seed", "--events", "--memory"])
      assert.include(stdout, flag)
  })

  it("has a part of a history again", () => {
    const { status, stderr, stdout } = soak("--graph", "billing", "--seed", "1", "--events", "0,1,2", "--memory")
    assert.deepStrictEqual([status, stderr], [0, ""])
    assert.match(stdout, /^History 1 of billing is right: 3 events, /)
  })

  it.each([
    [["--events", "3"], "--events needs the --seed whose events they are"],
    [["--seed", "3"], "--graph billing or --graph shop"],
    [["--graph", "shop", "--seed", "3", "--events", "3,31"], '"31" is not the place of an event: places are 0 to 29'],
    [["--minutes", "0"], "it has to be more than 0"]
  ])("refuses %j", (args, message) => {
    const { status, stderr } = soak(...args)
    assert.strictEqual(status, 2)
    assert.include(stderr, message)
  })
})
