import * as Environment from "@assay/core/cli/Environment"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Layer, Option, Redacted } from "effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

/** A workspace with a folder in it, removed after the test. */
const workspace = Effect.acquireRelease(
  Effect.sync(() => {
    const root = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "assay-environment-")))
    Fs.writeFileSync(Path.join(root, "pnpm-workspace.yaml"), "packages: []\n")
    const folder = Path.join(root, "packages", "billing")
    Fs.mkdirSync(folder, { recursive: true })
    Fs.writeFileSync(Path.join(folder, "package.json"), "{}")
    return { root, folder }
  }),
  ({ root }) => Effect.sync(() => Fs.rmSync(root, { recursive: true }))
)

/** The environment of a script that a user runs from a folder, as package managers set it. */
const from = (folder: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.provide(
    Environment.Environment,
    Environment.layer.pipe(
      Layer.provide(NodeServices.layer),
      Layer.provide(
        ConfigProvider.layer(
          ConfigProvider.fromEnv({
            env: { npm_package_json: Path.join(process.cwd(), "package.json"), INIT_CWD: folder, ...env }
          })
        )
      )
    )
  )

const refusal = Effect.fnUntraced(function* (folder: string, env: Readonly<Record<string, string>>) {
  const exit = yield* Effect.exit(Effect.flatMap(from(folder, env), ({ target }) => target))
  assert.isTrue(Exit.isFailure(exit))
  return String(Exit.isFailure(exit) ? exit.cause : "")
})

describe("Environment", () => {
  it.effect("has its defaults at the root of the workspace, wherever in it the user is", () =>
    Effect.gen(function* () {
      const { folder, root } = yield* workspace
      const environment = yield* from(folder)
      assert.strictEqual(environment.directory, folder)
      assert.strictEqual(environment.root, root)
      assert.strictEqual(environment.home, Path.join(root, ".assay"))
      assert.strictEqual(yield* environment.target, "dev")
      assert.isUndefined(environment.databaseUrl)
      assert.deepStrictEqual(yield* environment.path("BILLING_EVENTS"), Option.none())
      assert.isUndefined(environment.invocation.script)
    })
  )

  it.effect("knows the scripts of the package that it is a script of", () =>
    Effect.gen(function* () {
      const { folder } = yield* workspace
      const { invocation } = yield* from(folder, {
        npm_config_user_agent: "pnpm/12.21.0 npm/?",
        npm_execpath: "/p/pnpm"
      })
      assert.strictEqual(invocation.directory, folder)
      assert.deepInclude(invocation.script, { userAgent: "pnpm/12.21.0 npm/?", execPath: "/p/pnpm" })
      assert.isTrue(invocation.script?.scripts.includes("test"))
    })
  )

  it.effect("trusts INIT_CWD only in the script that it was set for, not in what that script starts", () =>
    Effect.gen(function* () {
      const { folder, root } = yield* workspace
      const environment = yield* from(folder, { npm_package_json: Path.join(root, "package.json") })
      assert.strictEqual(environment.directory, process.cwd())
    })
  )

  it.effect("lets the real environment win over the user's .env, and that over the root's", () =>
    Effect.gen(function* () {
      const { folder, root } = yield* workspace
      Fs.writeFileSync(Path.join(root, ".env"), "ONE=root\nTWO=root\nTHREE=root\nDATABASE_URL='postgres://u:p@h/d'\n")
      Fs.writeFileSync(Path.join(folder, ".env"), "ONE=folder\nTWO=folder # not root's\n")
      const environment = yield* from(folder, { ONE: "real" })
      const texts = yield* Effect.forEach(["ONE", "TWO", "THREE", "FOUR"], environment.text)
      assert.deepStrictEqual(texts.map(Option.getOrUndefined), ["real", "folder", "root", undefined])
      assert.isDefined(environment.databaseUrl)
      assert.strictEqual(Redacted.value(environment.databaseUrl), "postgres://u:p@h/d")
    })
  )

  it.effect("takes an empty variable for one that is not set", () =>
    Effect.gen(function* () {
      const { folder, root } = yield* workspace
      Fs.writeFileSync(Path.join(root, ".env"), "ASSAY_TARGET=qa\n")
      const environment = yield* from(folder, { ASSAY_TARGET: "", DATABASE_URL: "" })
      assert.strictEqual(yield* environment.target, "qa")
      assert.isUndefined(environment.databaseUrl)
    })
  )

  it.effect("reads a relative path from where it was written", () =>
    Effect.gen(function* () {
      const { folder, root } = yield* workspace
      Fs.writeFileSync(Path.join(root, ".env"), "BILLING_EVENTS=feed\n")
      const environment = yield* from(folder, { ASSAY_HOME: "data/../home" })
      assert.strictEqual(environment.home, Path.join(folder, "home"))
      assert.deepStrictEqual(yield* environment.path("BILLING_EVENTS"), Option.some(Path.join(root, "feed")))
    })
  )

  it.effect("refuses a target that cannot be a schema of its own", () =>
    Effect.gen(function* () {
      const { folder } = yield* workspace
      for (const target of [
        "Prod",
        "1st",
        "my-target",
        "dev; drop",
        "pg_temp",
        "information_schema",
        "dev_assay",
        "x".repeat(58)
      ]) {
        assert.include(yield* refusal(folder, { ASSAY_TARGET: target }), "ASSAY_TARGET is", target)
      }
      assert.strictEqual((yield* (yield* from(folder, { ASSAY_TARGET: "x".repeat(57) })).target).length, 57)
    })
  )

  it("shows a path inside the user's directory as the user would write it", () => {
    assert.deepStrictEqual(
      [
        Environment.shownPath("/a/b", "/a/b/.assay"),
        Environment.shownPath("/a/b", "/a/bc"),
        Environment.shownPath("/a", "/a")
      ],
      [".assay", "/a/bc", "."]
    )
  })
})
