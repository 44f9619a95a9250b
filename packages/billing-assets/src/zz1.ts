import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Argument from "effect/cli/Argument"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
const c = Command.make("x", { a: Flag.String("a").pipe(Flag.optional), n: Argument.String("n").pipe(Argument.optional) }, () => Effect.void)
Command.run(c, { version: "1" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
