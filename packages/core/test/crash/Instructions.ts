/**
 * What a test tells a process of the crash lane to do, and what the process says of it: one JSON argument in, JSON lines
 * out.
 */
import { landingPoints, stepPoints } from "@assay/core/execution/FaultPoint"
import * as Schema from "effect/Schema"

/**
 * Where something happens to the process, and what: at the n-th passing of the point while it works on the asset it
 * sends itself the signal, or it says so and waits for a line of input.
 */
export const Fault = Schema.Struct({
  point: Schema.Literals([...landingPoints, ...stepPoints]),
  asset: Schema.String,
  passing: Schema.Int,
  action: Schema.Literals(["SIGKILL", "SIGSTOP", "wait"])
})

export type Fault = typeof Fault.Type

export const Instructions = Schema.fromJsonString(
  Schema.Struct({
    url: Schema.String,
    applicationName: Schema.String,
    environment: Schema.String,
    folder: Schema.String,
    fault: Schema.optionalKey(Fault)
  })
)

export type Instructions = typeof Instructions.Type

/** What the process says: that it waits at its point, and how its run ended. */
export const Message = Schema.fromJsonString(
  Schema.Union([
    Schema.TaggedStruct("Waiting", {}),
    Schema.TaggedStruct("Done", {
      runId: Schema.NullOr(Schema.String),
      status: Schema.String,
      errors: Schema.Array(Schema.String)
    })
  ])
)

export type Message = typeof Message.Type
