/**
 * A process that uses the embedded server: joins it, prints where it is as one line of JSON, and leaves when its input
 * ends. Usage: node EmbeddedPostgresUser.ts '{"home":"…","durability":"none"}'
 */
import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { once } from "node:events"

const Options = Schema.fromJsonString(
  Schema.Struct({ home: Schema.String, durability: Schema.Literals(["full", "none"]) })
)

const program = Effect.gen(function* () {
  const options = yield* Schema.decodeUnknownEffect(Options)(process.argv[2])
  const server = yield* EmbeddedPostgres.make(options)
  process.stdout.write(`${JSON.stringify(server)}\n`)
  process.stdin.resume()
  yield* Effect.promise(() => once(process.stdin, "end"))
}).pipe(Effect.scoped)

await Effect.runPromise(program)
