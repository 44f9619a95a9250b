/**
 * How do help and mistakes in the command line look? Help goes to standard output. A mistake goes to standard error, as
 * a sentence with the nearest right word and the way to the help, not as a page in which the sentence drowns.
 */
import * as CliOutput from "effect/cli/CliOutput"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HelpPage from "./HelpPage.ts"
import { Screen, writeLines } from "./Screen.ts"

/**
 * Help and usage errors on the screen.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (settings: ReadonlyArray<HelpPage.Setting>, call: string): Layer.Layer<never, never, Screen> =>
  Layer.effect(
    CliOutput.Presenter,
    Effect.map(Screen, ({ error, out }) => ({
      present: (event) => {
        switch (event._tag) {
          case "Help":
            return Effect.flatMap(out.columns, (width) =>
              Effect.ignore(writeLines(out, HelpPage.lines(event.helpDoc, { style: out.style, width, settings, call })))
            )
          case "Version":
            return Effect.ignore(out.write(`${event.name} ${event.version}\n`))
          case "InvalidInvocation": {
            const formatter = CliOutput.defaultFormatter({ colors: false })
            const { bold, dim, symbols } = error.style
            return Effect.ignore(
              writeLines(error, [
                ...event.errors.flatMap((mistake) => {
                  const [first = "", ...rest] = formatter
                    .formatCliError(mistake)
                    .split("\n")
                    .filter((line) => line !== "")
                  return [`${symbols.failed} ${bold(first)}`, ...rest]
                }),
                "",
                dim(`Usage: ${event.helpDoc.usage}`),
                dim(`Help:  ${[call, ...event.commandPath.slice(1)].join(" ")} --help`)
              ])
            )
          }
        }
      }
    }))
  )
