import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Fs from "node:fs"

const manifests = ["package.json", ...Fs.globSync("{packages/*,examples}/package.json")]

const Versions = Schema.optionalKey(Schema.Record(Schema.String, Schema.String))

const Manifest = Schema.Struct({
  dependencies: Versions,
  devDependencies: Versions,
  optionalDependencies: Versions,
  peerDependencies: Versions
})

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Manifest))

const versions = (file: string): ReadonlyArray<readonly [name: string, version: string]> =>
  Object.values(decode(Fs.readFileSync(file, "utf8"))).flatMap((field) => Object.entries(field))

describe("toolchain", () => {
  it("runs on the Node that the workspace brings, whatever the machine has", () => {
    const wanted = new Map(versions("package.json")).get("node")
    assert.strictEqual(process.versions.node, wanted)
  })

  it.each(manifests)("%s pins every version exactly", (file) => {
    const loose = versions(file).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$|^workspace:\*$/.test(version))
    assert.deepStrictEqual(loose, [])
  })

  it("pins one version of each dependency across the workspace", () => {
    const all = Map.groupBy(manifests.flatMap(versions), ([name]) => name)
    const torn = [...all].filter(([, pins]) => new Set(pins.map(([, version]) => version)).size > 1)
    assert.deepStrictEqual(torn, [])
  })
})
