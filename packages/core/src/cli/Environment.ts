/**
 * Where is the user, and what did they set? The only place that reads environment variables. The real environment wins
 * over a `.env` file where the user is, and that over one at the workspace root; a relative path is relative to the
 * place where it was written.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { argv, cwd } from "node:process"
import type { Invocation } from "./Invocation.ts"

/**
 * A setting that cannot be used, and what could be.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>("@assay/core/cli/InvalidSetting")(
  "InvalidSetting",
  {
    setting: Schema.String,
    message: Schema.String
  }
) {}

/**
 * The user's place and settings.
 *
 * @category services
 * @since 0.1.0
 */
export class Environment extends Context.Service<
  Environment,
  {
    /** The directory in which the user typed the command. */
    readonly directory: string
    /** The nearest folder upward with `pnpm-workspace.yaml`, else with `package.json`, else the user's directory. */
    readonly root: string
    /** How the user started the program, for hints. */
    readonly invocation: Invocation
    /** `ASSAY_HOME`: where the embedded server keeps its data. Default `.assay` at the root. */
    readonly home: string
    /** `ASSAY_TARGET`: the environment's name, which is its warehouse schema. Default `dev`. Refused when it is used. */
    readonly target: Effect.Effect<string, InvalidSetting>
    /** `DATABASE_URL`: the server to use instead of the embedded one. */
    readonly databaseUrl: Redacted.Redacted | undefined
    /** A text setting. */
    readonly text: (setting: string) => Effect.Effect<Option.Option<string>, InvalidSetting>
    /** A setting that names a path, made absolute. */
    readonly path: (setting: string) => Effect.Effect<Option.Option<string>, InvalidSetting>
  }
>()("@assay/core/cli/Environment") {}

/**
 * The environment of this process.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Environment, InvalidSetting, FileSystem.FileSystem | Path.Path> = Layer.effect(
  Environment,
  Effect.gen(function* () {
    const real = yield* ConfigProvider.ConfigProvider
    const directory = yield* userDirectory(real)
    const root = yield* findRoot(directory)
    const places = [...new Set([directory, root])]
    const files = yield* Effect.forEach(places, dotEnv)
    const sources: ReadonlyArray<Source> = [{ directory, provider: real }, ...files.flat()]
    const path = yield* Path.Path
    const read = <A>(config: Config.Config<A>, setting: string) => first(sources, config, setting)
    const pathOf = (setting: string) =>
      Effect.map(
        read(Config.String(setting), setting),
        Option.map((found) => path.resolve(found.directory, found.value))
      )
    const textOf = (setting: string) =>
      Effect.map(
        read(Config.String(setting), setting),
        Option.map((found) => found.value)
      )
    return {
      directory,
      root,
      invocation: { directory, program: argv[1] ?? "", script: yield* scriptOf(real) },
      home: Option.getOrElse(yield* pathOf("ASSAY_HOME"), () => path.join(root, ".assay")),
      target: Effect.flatMap(textOf("ASSAY_TARGET"), toTarget),
      databaseUrl: Option.getOrUndefined(
        Option.map(yield* read(Config.Redacted("DATABASE_URL"), "DATABASE_URL"), ({ value }) => value)
      ),
      text: textOf,
      path: pathOf
    }
  })
)

/**
 * The environment's name for people to see in messages; a path inside the user's directory becomes relative to it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const shownPath = (from: string, to: string): string =>
  to === from ? "." : to.startsWith(`${from}/`) ? to.slice(from.length + 1) : to

// --- internal ---

interface Source {
  readonly directory: string
  readonly provider: ConfigProvider.ConfigProvider
}

/** PostgreSQL cuts names at 63 bytes, and the ledger's is the target's with `_assay` behind it. */
const maxTarget = 57

const toTarget = (text: Option.Option<string>): Effect.Effect<string, InvalidSetting> => {
  const target = Option.getOrElse(text, () => "dev")
  const refuse = (reason: string) =>
    Effect.fail(
      new InvalidSetting({
        setting: "ASSAY_TARGET",
        message:
          `ASSAY_TARGET is ${JSON.stringify(target)}, ${reason}. It names the database schema of an environment: a ` +
          `lower-case letter, then letters, digits or _, at most ${maxTarget} in all, such as dev, qa or prod.`
      })
    )
  if (!/^[a-z][a-z0-9_]*$/.test(target)) return refuse("which is not a lower-case identifier")
  if (target.length > maxTarget) return refuse(`which has ${target.length} characters`)
  if (target.startsWith("pg_") || target === "information_schema") return refuse("which PostgreSQL keeps for itself")
  return target.endsWith("_assay") ? refuse("which is the name of another target's ledger") : Effect.succeed(target)
}

/**
 * A script of a package runs in the package's folder, and INIT_CWD says where the user was. It is inherited by whatever
 * the script starts, where it means nothing: hence the look at the folder.
 */
const userDirectory = Effect.fnUntraced(function* (real: ConfigProvider.ConfigProvider) {
  const initial = yield* valueOf(real, "INIT_CWD")
  return (yield* packageOfScript(real)) === undefined || initial === undefined ? cwd() : initial
})

/** The `package.json` whose script this process is. */
const packageOfScript = Effect.fnUntraced(function* (real: ConfigProvider.ConfigProvider) {
  const path = yield* Path.Path
  const packageJson = yield* valueOf(real, "npm_package_json")
  return packageJson !== undefined && path.dirname(packageJson) === cwd() ? packageJson : undefined
})

const scriptOf = Effect.fnUntraced(function* (real: ConfigProvider.ConfigProvider) {
  const fs = yield* FileSystem.FileSystem
  const packageJson = yield* packageOfScript(real)
  const [userAgent, execPath] = yield* Effect.all([
    valueOf(real, "npm_config_user_agent"),
    valueOf(real, "npm_execpath")
  ])
  if (packageJson === undefined || userAgent === undefined) return undefined
  const decoded = yield* fs.readFileString(packageJson).pipe(
    Effect.flatMap(Schema.decodeEffect(PackageJson)),
    Effect.orElseSucceed((): typeof PackageJson.Type => ({}))
  )
  return { userAgent, execPath: execPath ?? "", scripts: Object.keys(decoded.scripts ?? {}) }
})

const PackageJson = Schema.fromJsonString(
  Schema.Struct({ scripts: Schema.optional(Schema.Record(Schema.String, Schema.String)) })
)

const valueOf = (real: ConfigProvider.ConfigProvider, setting: string) =>
  Effect.map(first([{ directory: cwd(), provider: real }], Config.String(setting), setting), (found) =>
    Option.isSome(found) ? found.value.value : undefined
  )

const findRoot = Effect.fnUntraced(function* (directory: string) {
  const workspace = yield* upward(directory, "pnpm-workspace.yaml")
  return workspace ?? (yield* upward(directory, "package.json")) ?? directory
})

const upward = Effect.fnUntraced(function* (directory: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let current = directory
  while (true) {
    if (yield* Effect.orElseSucceed(fs.exists(path.join(current, name)), () => false)) return current
    const parent = path.dirname(current)
    if (parent === current) return undefined
    current = parent
  }
})

/** The settings of a `.env` file; none where there is no such file. */
const dotEnv = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(directory, ".env")
  const isFile = yield* Effect.match(fs.stat(file), {
    onFailure: () => false,
    onSuccess: ({ type }) => type === "File"
  })
  if (!isFile) return []
  const contents = yield* Effect.mapError(
    fs.readFileString(file),
    () => new InvalidSetting({ setting: ".env", message: `${file} cannot be read. Make it readable, or remove it.` })
  )
  return [{ directory, provider: ConfigProvider.fromDotEnvContents(contents) }]
})

const first = Effect.fnUntraced(function* <A>(
  sources: ReadonlyArray<Source>,
  config: Config.Config<A>,
  setting: string
) {
  for (const { directory, provider } of sources) {
    // The driver's message may hold the value, and the value may be a secret.
    const found = yield* Effect.mapError(
      Config.option(config).parse(provider),
      () => new InvalidSetting({ setting, message: `${setting} cannot be read. Set it to a text.` })
    )
    if (Option.isSome(found)) return Option.some({ directory, value: found.value })
  }
  return Option.none()
})
