import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as CommandLine from "./support/CommandLine.ts"
import { read, succeed, warehouse } from "./support/Commands.ts"

const { feed, header, invoice } = CommandLine

const Runs = Schema.Struct({ runs: Schema.Array(Schema.Struct({ status: Schema.String, why: Schema.String })) })

layer(CommandLine.layer, { timeout: "5 minutes" })("assay watch", (it) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.effect(`lands what comes, and ends with 130 on ${signal}, with nothing left half done (Verifies: L3)`, () =>
      Effect.gen(function* () {
        const assay = yield* CommandLine.CommandLine
        const target = `watch_${signal.toLowerCase()}`
        const { env } = yield* warehouse(target)
        const watching = yield* assay.start(["watch", "--poll", "1s"], env)
        yield* watching.wrote("watching 6 assets")
        yield* feed(`${target}/b.csv`, [header, invoice("e4", "2024-03-01", "1")])
        yield* watching.wrote("rows changed in")
        yield* watching.kill(signal)
        const ended = yield* watching.ended
        assert.strictEqual(ended.code, 130, ended.error)
        assert.include(yield* succeed(["materialize"], env), "Everything is up to date")
        assert.include(yield* succeed(["verify", "--strict"], env), "Every table equals a full refresh.")
        const { runs } = yield* read(Runs, yield* succeed(["runs", "--json"], env))
        assert.deepStrictEqual(Array.from(new Set(runs.map(({ status }) => status))), ["succeeded"])
      })
    )
  }
})
