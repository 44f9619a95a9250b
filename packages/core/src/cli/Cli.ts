/**
 * The command line of an application: its graph behind the commands that every graph has, with commands of its own
 * beside them. This is the one place that knows signals, arguments and the end of the process.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import { performance } from "node:perf_hooks"
import process from "node:process"
import type { AssetGraph } from "../AssetGraph.ts"
import { retype } from "../internal/erase.ts"
import * as AssetsCommand from "./AssetsCommand.ts"
import * as BackfillCommand from "./BackfillCommand.ts"
import * as Environment from "./Environment.ts"
import { ExitCode } from "./ExitCode.ts"
import * as Failure from "./Failure.ts"
import type * as HelpPage from "./HelpPage.ts"
import * as HelpPresenter from "./HelpPresenter.ts"
import * as Host from "./Host.ts"
import * as Invocation from "./Invocation.ts"
import * as MaterializeCommand from "./MaterializeCommand.ts"
import * as Paragraph from "./Paragraph.ts"
import * as PartitionsCommand from "./PartitionsCommand.ts"
import * as PlanCommand from "./PlanCommand.ts"
import * as PruneCommand from "./PruneCommand.ts"
import * as QuarantineCommand from "./QuarantineCommand.ts"
import * as RunsCommand from "./RunsCommand.ts"
import * as Screen from "./Screen.ts"
import * as ShowCommand from "./ShowCommand.ts"
import * as StatusCommand from "./StatusCommand.ts"
import * as VerifyCommand from "./VerifyCommand.ts"
import * as WatchCommand from "./WatchCommand.ts"
import * as WhyCommand from "./WhyCommand.ts"

/**
 * What a command of the application's own may use.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Environment.Environment | Screen.Screen | Host.Host | Command.Environment

/**
 * An application.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E, Commands extends ReadonlyArray<Command.Command.Any>> {
  /** What the user types. */
  readonly name: string
  readonly version: string
  /** One sentence for the help. */
  readonly description?: string
  /**
   * Makes the graph from the environment, when a command needs it. A graph whose computes need services is given them
   * here, by `AssetGraph.provide`; what they hold lives as long as the command.
   */
  readonly graph: Effect.Effect<AssetGraph<never>, E, Environment.Environment | Scope.Scope>
  /** What `graph` reads from the environment, for the help. */
  readonly settings?: ReadonlyArray<HelpPage.Setting>
  /** Commands beside those of core. */
  readonly commands?: Commands & CheckedCommands<Commands>
}

/**
 * What a command may fail with: something that can be told.
 *
 * @category models
 * @since 0.1.0
 */
export interface CommandError {
  readonly _tag: string
  readonly message: string
}

/**
 * Rejects, at compile time, commands that need services which the command line does not have, or whose errors cannot be
 * told.
 *
 * @category type-level
 * @since 0.1.0
 */
export type CheckedCommands<Commands extends ReadonlyArray<Command.Command.Any>> = {
  readonly [I in keyof Commands]: [Exclude<Command.Services<Commands[I]>, Services>] extends [never]
    ? [Command.Error<Commands[I]>] extends [CommandError]
      ? Commands[I]
      : "This command fails with errors that have no _tag and message."
    : "This command needs services that the command line does not provide."
}

/**
 * Runs the application: reads the arguments, does what they say, and ends the process with an exit code.
 *
 * **Example** (An application with a graph and no commands of its own)
 *
 * ```ts
 * import * as AssetGraph from "@assay/core/AssetGraph"
 * import * as Cli from "@assay/core/cli/Cli"
 * import * as Effect from "effect/Effect"
 *
 * Cli.run({ name: "numbers", version: "1.0.0", graph: Effect.succeed(AssetGraph.make([])) })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <E, const Commands extends ReadonlyArray<Command.Command.Any> = []>(
  options: Options<E, Commands>
): void => main(program(options), { disableErrorReporting: true, teardown })

// --- internal ---

const program = <E, Commands extends ReadonlyArray<Command.Command.Any>>(
  options: Options<E, Commands>
): Effect.Effect<ExitCode> =>
  Effect.gen(function* () {
    const args = withoutSeparator(yield* Effect.flatMap(Stdio.Stdio, (stdio) => stdio.args))
    const command = root(options)
    const { notices } = yield* Screen.Screen
    const { databaseUrl, invocation } = yield* Environment.Environment
    notices.hide(Failure.secretsOf(databaseUrl))
    const call = Invocation.call(invocation, options.name)
    const help = HelpPresenter.layer([...settings, ...(options.settings ?? [])], call)
    return yield* Command.runWith(command, { version: options.version })(args).pipe(
      Effect.provide(Layer.mergeAll(Host.layer(options, args), help, builtIns)),
      Effect.as(ExitCode.done),
      Effect.catchCause((cause) => tell(cause, options.name))
    )
  }).pipe(
    Effect.provide(Environment.layer),
    Effect.catchCause((cause) => tell(cause, options.name)),
    Effect.provide(Layer.mergeAll(NodeServices.layer, logger).pipe(Layer.provideMerge(Screen.layer)))
  )

const root = <E, Commands extends ReadonlyArray<Command.Command.Any>>({
  commands,
  description,
  name
}: Options<E, Commands>) =>
  Command.make(name).pipe(
    Command.withDescription(description ?? "Bring assets up to date, look at them, and prove that they are right"),
    Command.withSubcommands([
      MaterializeCommand.make(name),
      PlanCommand.make(name),
      BackfillCommand.make(name),
      StatusCommand.make(name),
      AssetsCommand.make(name),
      WhyCommand.make(name),
      ShowCommand.make(name),
      RunsCommand.make(name),
      QuarantineCommand.make(name),
      VerifyCommand.make(name),
      WatchCommand.make(name),
      PartitionsCommand.make(name),
      PruneCommand.make(name),
      // Checked by `CheckedCommands`, which a signature of their common type could not say.
      ...retype<ReadonlyArray<Command.Command<string, never, object, CommandError, Services>>>(commands ?? [])
    ])
  )

const settings: ReadonlyArray<HelpPage.Setting> = [
  { name: "DATABASE_URL", description: "PostgreSQL 15 or newer to use instead of the embedded server" },
  {
    name: "ASSAY_HOME",
    description: "Where the embedded server keeps its data (default: .assay at the workspace root)"
  },
  { name: "ASSAY_TARGET", description: "The environment, which is the database schema of the tables (default: dev)" },
  { name: "NO_COLOR", description: "No colours" }
]

/** The wizard asks for every flag of every command; reading the help is quicker. */
const builtIns = CliConfig.layer({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
})

/** `pnpm assay -- plan` and `pnpm materialize -- --asset x`: habits from npm, whose `--` some package managers hand on. */
const withoutSeparator = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = args.indexOf("--")
  return at >= 0 && args.slice(0, at).every((argument) => !argument.startsWith("-")) ? args.toSpliced(at, 1) : args
}

/** What the engine logs, from warnings on. */
const logger = Layer.mergeAll(
  Layer.unwrap(
    Effect.map(Screen.Screen, ({ notices }) =>
      Logger.layer([Logger.make(({ cause, logLevel, message }) => notices.tell(logLine(logLevel, message, cause)))])
    )
  ),
  Layer.succeed(References.MinimumLogLevel, "Warn")
)

const logLine = (level: string, message: unknown, cause: Cause.Cause<unknown>): string => {
  const said: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
  const parts = cause.reasons.length === 0 ? said : [...said, Cause.squash(cause)]
  return Paragraph.visible(`${level.toLowerCase()}: ${parts.map(words).join(" ")}`)
}

/** An error says its message: a trace helps nobody who did not write the code. */
const words = (part: unknown): string =>
  Predicate.hasProperty(part, "message") && Predicate.isString(part.message)
    ? part.message
    : Inspectable.toStringUnknown(part, 0)

/** Tells a failure on standard error and yields its exit code; an interruption goes on being one. */
const tell = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>, name: string) {
  if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
  const environment = yield* Effect.serviceOption(Environment.Environment)
  const { error } = yield* Screen.Screen
  const [call, secrets] =
    environment._tag === "Some"
      ? [Invocation.call(environment.value.invocation, name), Failure.secretsOf(environment.value.databaseUrl)]
      : [name, []]
  const failure = Failure.fromError(Cause.squash(cause), call)
  const lines = Failure.lines(failure, { style: error.style, width: yield* error.columns, secrets })
  yield* Effect.ignore(Screen.writeLines(error, lines))
  return failure.code
})

/** One key press can arrive twice: from the terminal, and handed on by the package manager. */
const samePress = 500

const main = Runtime.makeRunMain(({ fiber, teardown }) => {
  let firstAt: number | undefined
  const onSignal = () => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      fiber.interruptUnsafe(fiber.id)
    } else if (now - firstAt > samePress) {
      if (process.stdout.isTTY) process.stdout.write("\u001B[?25h\n")
      process.exit(ExitCode.interrupted)
    }
  }
  for (const signal of signals) process.on(signal, onSignal)
  fiber.addObserver((exit) => teardown(exit, (code) => process.exit(code)))
})

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

const teardown: Runtime.Teardown = (exit, end) =>
  end(
    Exit.isSuccess(exit)
      ? typeof exit.value === "number"
        ? exit.value
        : ExitCode.done
      : Cause.hasInterruptsOnly(exit.cause)
        ? ExitCode.interrupted
        : ExitCode.failed
  )
