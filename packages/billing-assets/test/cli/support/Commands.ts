/**
 * Running commands and looking at how they ended, as the tests of the command line do it.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CommandLine from "./CommandLine.ts"
import { feed, header, invoice } from "./CommandLine.ts"

/** A document that a command printed. */
export const read = <A>(schema: Schema.ConstraintDecoder<A>, text: string) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text))

/** What a command writes that ends well and has nothing to say beside it. */
export const succeed = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env?: Readonly<Record<string, string>>
) {
  const assay = yield* CommandLine.CommandLine
  const ended = yield* assay.run(args, env)
  assert.strictEqual(ended.error, "", args.join(" "))
  assert.strictEqual(ended.code, 0, args.join(" "))
  return ended.out
})

/** A command that fails: its message goes to standard error, without a stack trace. */
export const fail = Effect.fnUntraced(function* (
  code: number,
  args: ReadonlyArray<string>,
  env?: Readonly<Record<string, string>>
) {
  const assay = yield* CommandLine.CommandLine
  const ended = yield* assay.run(args, env)
  assert.strictEqual(ended.code, code, `${args.join(" ")}: ${ended.error}`)
  assert.isFalse(/\n\s+at .*:\d+/.test(ended.error), ended.error)
  return ended
})

/** How the tests start the program, as its hints say it. */
export const call = `node ${CommandLine.bin}`

/** A target of its own, with two days of revenue and a rejected row. */
export const warehouse = Effect.fnUntraced(function* (target: string) {
  const env = { ASSAY_TARGET: target, BILLING_EVENTS: `feed/${target}` }
  yield* feed(`${target}/a.csv`, [
    header,
    invoice("e1", "2024-03-01", "100.5"),
    invoice("e2", "2024-03-02", "20"),
    'e3,c1,invoice_paid,"12,50",EUR,2024-03-03T12:00:00Z,2024-03-03T12:00:01Z,,'
  ])
  const first = yield* succeed(["materialize"], env)
  return { env, first }
})
