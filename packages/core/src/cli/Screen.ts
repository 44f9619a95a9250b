/**
 * Where does output go, and what can be shown there? Standard output for results, standard error for failures and for
 * progress beside a document. A write ends when the text has left the process, so memory stays constant behind a slow
 * reader and nothing is lost at the end.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { stderr, stdout } from "node:process"
import * as Style from "./Style.ts"

/**
 * The reader of the output has gone, as `head` goes when it has seen enough.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutputClosed extends Schema.TaggedError<OutputClosed>("@assay/core/cli/OutputClosed")(
  "OutputClosed",
  {}
) {}

/**
 * One output of the process.
 *
 * @category models
 * @since 0.1.0
 */
export interface Output {
  readonly isTerminal: boolean
  /** The width of the terminal now; unlimited where there is none. */
  readonly columns: Effect.Effect<number>
  readonly style: Style.Style
  readonly write: (text: string) => Effect.Effect<void, OutputClosed>
}

/**
 * Where log lines go: to standard error, unless somebody who draws on the terminal takes them for a while.
 *
 * @category models
 * @since 0.1.0
 */
export interface Notices {
  readonly tell: (line: string) => void
  /** Takes the lines until the effect that it yields is run. */
  readonly take: (taker: (line: string) => void) => Effect.Effect<void>
  /** Blots out these texts from now on. */
  readonly hide: (secrets: ReadonlyArray<string>) => void
}

/**
 * The outputs of the process.
 *
 * @category services
 * @since 0.1.0
 */
export class Screen extends Context.Service<
  Screen,
  {
    readonly out: Output
    readonly error: Output
    readonly notices: Notices
  }
>()("@assay/core/cli/Screen") {}

/**
 * Writes lines.
 *
 * @category writing
 * @since 0.1.0
 */
export const writeLines = (output: Output, lines: ReadonlyArray<string>): Effect.Effect<void, OutputClosed> =>
  lines.length === 0 ? Effect.void : output.write(`${lines.join("\n")}\n`)

/**
 * The text with secrets blotted out.
 *
 * @category conversions
 * @since 0.1.0
 */
export const conceal = (text: string, secrets: ReadonlyArray<string>): string =>
  secrets.reduce((concealed, secret) => concealed.replaceAll(secret, "***"), text)

/**
 * The process's own outputs.
 *
 * **Details**
 *
 * Colours: on a terminal that is not `dumb`, unless `NO_COLOR` is set; `FORCE_COLOR` has them anywhere. Unicode: on a
 * terminal whose locale (`LC_ALL`, `LC_CTYPE`, `LANG`) is UTF-8.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Screen> = Layer.effect(
  Screen,
  Effect.gen(function* () {
    const settings = yield* Effect.orDie(environment)
    return {
      out: yield* output(stdout, settings),
      error: yield* output(stderr, settings),
      notices: notices((line) => void stderr.write(`${line}\n`))
    }
  })
)

/**
 * Notices that go to a teller while nobody takes them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notices = (teller: (line: string) => void): Notices => {
  let current = teller
  let hidden: ReadonlyArray<string> = []
  return {
    tell: (line) => current(conceal(line, hidden)),
    hide: (secrets) => {
      hidden = secrets
    },
    take: (taker) => {
      current = taker
      return Effect.sync(() => {
        current = teller
      })
    }
  }
}

// --- internal ---

type Stream = typeof stdout | typeof stderr

/** A line longer than this is a log's own business. */
const unlimited = Number.MAX_SAFE_INTEGER

/** What a terminal has that does not say; 0 is what some say when nobody told them. */
const usual = 80

const environment = Config.all({
  noColor: Config.option(Config.String("NO_COLOR")),
  forceColor: Config.option(Config.String("FORCE_COLOR")),
  term: Config.option(Config.String("TERM")),
  locale: Config.option(
    Config.String("LC_ALL").pipe(
      Config.orElse(() => Config.String("LC_CTYPE")),
      Config.orElse(() => Config.String("LANG"))
    )
  )
})

type Settings = { readonly [Name in "noColor" | "forceColor" | "term" | "locale"]: Option.Option<string> }

const output = (stream: Stream, settings: Settings): Effect.Effect<Output> =>
  Effect.sync(() => {
    // Without a listener Node ends the process on EPIPE; the write that failed tells its caller.
    stream.on("error", () => undefined)
    const isTerminal = stream.isTTY
    const isSmart = isTerminal && !Option.contains(settings.term, "dumb")
    const isForced = Option.exists(settings.forceColor, (value) => value !== "0" && value !== "false")
    return {
      isTerminal: isSmart,
      columns: Effect.sync(() => (isTerminal ? stream.columns || usual : unlimited)),
      style: Style.make({
        canColor: Option.isNone(settings.noColor) && (isSmart || isForced),
        isUnicode: isSmart && Option.exists(settings.locale, (locale) => /utf-?8/i.test(locale))
      }),
      write: (text) =>
        text === ""
          ? Effect.void
          : Effect.callback<void, OutputClosed>((resume) => {
              stream.write(text, (failure) =>
                resume(failure === null || failure === undefined ? Effect.void : Effect.fail(new OutputClosed()))
              )
            })
    }
  })
