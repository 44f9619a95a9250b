import * as EmbeddedPostgres from "@assay/core/postgres/EmbeddedPostgres"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
NodeRuntime.runMain(Effect.gen(function* () {
  const s = yield* EmbeddedPostgres.make({ home: process.argv[2]! })
  console.log("up", s.socketDirectory, s.dataDirectory)
  if (process.argv[3] === "wait") yield* Effect.never
}).pipe(Effect.scoped, Effect.catch((e) => Effect.sync(() => console.log(e._tag, e.reason._tag, e.message)))))
