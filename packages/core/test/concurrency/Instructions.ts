/**
 * What a test tells a process of the concurrency lane to do, and what the process says of it: one JSON argument in, JSON
 * lines out. A process waits for a line of input before it touches the database, so that several can begin at one
 * instant, and goes on until its input ends.
 */
import * as Schema from "effect/Schema"

const fields = {
  url: Schema.String,
  applicationName: Schema.String,
  environment: Schema.String,
  folder: Schema.String,
  /** A runner materializes, a lander delivers and lands. */
  role: Schema.Literals(["runner", "lander"]),
  /** What a runner asks for: all assets, or whatever comes to its mind. */
  asks: Schema.Literals(["everything", "anything"]),
  seed: Schema.Int,
  /** By how many milliseconds its clock is ahead of the machine's. */
  ahead: Schema.Int,
  /** Only the part of the graph that this asset is made of. */
  only: Schema.optionalKey(Schema.String),
  stepSize: Schema.Int,
  /** Of how many assets one is worked on at a time: those of the same pool. */
  pool: Schema.optionalKey(Schema.String),
  concurrency: Schema.Int,
  connections: Schema.Int,
  /** The number of a lander's first delivery. */
  delivery: Schema.Int,
  /** At the passing of how many fault points it kills itself. */
  dies: Schema.optionalKey(Schema.Int)
}

export const Instructions = Schema.fromJsonString(Schema.Struct(fields))

export type Instructions = typeof Instructions.Type

export const Message = Schema.fromJsonString(
  Schema.Union([
    Schema.TaggedStruct("Ready", {}),
    Schema.TaggedStruct("Delivered", { delivery: Schema.Int }),
    Schema.TaggedStruct("Step", { asset: Schema.String, rows: Schema.Int }),
    Schema.TaggedStruct("Retrying", { asset: Schema.String, message: Schema.String }),
    Schema.TaggedStruct("Done", {
      request: Schema.String,
      runId: Schema.NullOr(Schema.String),
      status: Schema.String,
      errors: Schema.Array(Schema.String)
    })
  ])
)

export type Message = typeof Message.Type
