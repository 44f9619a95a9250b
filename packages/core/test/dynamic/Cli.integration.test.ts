import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as TestDatabase from "../support/TestDatabase.ts"

const app = Path.join(import.meta.dirname, "app.ts")

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** The regions' command line in a process of its own. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(TestDatabase.TestDatabase, ({ url }) =>
    Effect.callback<Ended>((resume) => {
      const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: Redacted.value(url) }
      ChildProcess.execFile(process.execPath, [app, ...args], { env }, (failure, out, error) => {
        const code = failure === null ? 0 : Number(failure.code)
        resume(Effect.succeed({ code, out, error }))
      })
    })
  )

const succeed = (...args: ReadonlyArray<string>) =>
  Effect.map(run(...args), ({ code, error, out }) => {
    assert.strictEqual(code, 0, `${args.join(" ")}\n${out}\n${error}`)
    return out
  })

const read = <A>(schema: Schema.Codec<A, unknown>, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(succeed(...args, "--json"), (text) => Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text))

const Listed = Schema.Struct({
  partitions: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      assets: Schema.Array(Schema.String),
      keys: Schema.Array(
        Schema.Struct({ key: Schema.String, addedAt: Schema.String, builtBy: Schema.Array(Schema.String) })
      )
    })
  )
})

const Changed = Schema.Struct({
  name: Schema.String,
  changed: Schema.Array(Schema.String),
  unchanged: Schema.Array(Schema.String)
})

const Pruned = Schema.Struct({
  before: Schema.String,
  dryRun: Schema.Boolean,
  runs: Schema.Int,
  steps: Schema.Int,
  events: Schema.Int,
  quarantined: Schema.NullOr(Schema.Int)
})

it.layer(TestDatabase.layer)("the command line of an application with dynamic partitions", (it) => {
  it.effect(
    "adds, builds, lists and removes keys, and asks before rows go with them",
    () =>
      Effect.gen(function* () {
        assert.include(yield* succeed("partitions"), "There are no keys yet: ")
        const added = yield* succeed("partitions", "add", "regions", "north", "east")
        assert.include(added, "north, east added to regions.\nNext: ")
        assert.deepStrictEqual(yield* read(Changed, "partitions", "add", "regions", "east", "west"), {
          name: "regions",
          changed: ["west"],
          unchanged: ["east"]
        })
        const built = yield* succeed("materialize", "--asset", "sales", "--partitions", "east,west")
        assert.match(built, /\nsales +2 /)
        const listed = yield* succeed("partitions", "list", "regions")
        assert.include(listed, "regions | 3 keys, for sales, pairs, signs, posters\n")
        assert.match(listed, /north +(just now|\d+ (s|min) ago) +no\n/)
        assert.match(listed, /east +(just now|\d+ (s|min) ago) +only by sales\n/)
        const refused = yield* run("partitions", "remove", "regions", "east", "north")
        assert.strictEqual(refused.code, 2)
        assert.include(
          refused.error.replaceAll(/\s+/g, " "),
          "east was built: the next run would remove its rows from sales. Nobody can be asked here, so nothing was removed. If that is meant, say --yes."
        )
        const removed = yield* succeed("partitions", "remove", "regions", "east", "south", "--yes")
        assert.include(removed, "east removed from regions.\nsouth not in regions.\n")
        assert.include(yield* succeed("plan", "--asset", "sales"), "east: no partitions any more")
        const { partitions } = yield* read(Listed, "partitions", "list", "regions")
        assert.deepStrictEqual(
          partitions[0]?.keys.map(({ builtBy, key }) => [key, builtBy]),
          [
            ["north", []],
            ["west", ["sales"]]
          ]
        )
      }),
    180_000
  )

  it.effect(
    "says what is wrong with a key, a name and an age",
    () =>
      Effect.gen(function* () {
        const wrong = (...args: ReadonlyArray<string>) =>
          Effect.map(run(...args), ({ code, error }) => {
            assert.strictEqual(code, 2, error)
            return error.replaceAll(/\s+/g, " ")
          })
        assert.include(yield* wrong("partitions", "add", "regions", "a|b"), '"a|b" holds "|"')
        assert.include(yield* wrong("partitions", "add", "region", "a"), 'Did you mean "regions"?')
        assert.include(yield* wrong("prune", "--older-than", "soon"), "such as 90d")
      }),
    180_000
  )

  it.effect(
    "prunes what is old, and counts it first",
    () =>
      Effect.gen(function* () {
        yield* succeed("materialize", "--asset", "silver_orders")
        const young = { runs: 0, steps: 0, events: 0, quarantined: null }
        assert.deepInclude(yield* read(Pruned, "prune", "--older-than", "90d"), { ...young, dryRun: false })
        const counted = yield* read(Pruned, "prune", "--older-than", "0.000001m", "--dry-run", "--quarantine")
        assert.deepInclude(counted, { dryRun: true, quarantined: 0 })
        assert.isAbove(counted.events, 0)
        const text = yield* succeed("prune", "--older-than", "0.000001m")
        assert.match(text, new RegExp(`events +${counted.events}\\n`))
        assert.include(text, "the last run of each asset stays.")
        assert.include(yield* succeed("runs"), "succeeded")
      }),
    180_000
  )
})
