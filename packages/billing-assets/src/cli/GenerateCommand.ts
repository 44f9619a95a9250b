/**
 * `generate`: a feed of invented billing events to try the warehouse with. The same numbers give the same files.
 */
import * as Environment from "@assay/core/cli/Environment"
import { Host } from "@assay/core/cli/Host"
import * as Json from "@assay/core/cli/Json"
import * as Quantity from "@assay/core/cli/Quantity"
import * as RequestFlags from "@assay/core/cli/RequestFlags"
import { Screen, writeLines } from "@assay/core/cli/Screen"
import * as Table from "@assay/core/cli/Table"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { Summary } from "../generator/FeedFile.ts"

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make(
    "generate",
    {
      customers: Flag.Int("customers").pipe(
        Flag.withMetavar("N"),
        Flag.withDescription("How many customers sign up, at most a million (default: 1000)"),
        Flag.withDefault(1000)
      ),
      months: Flag.Int("months").pipe(
        Flag.withMetavar("N"),
        Flag.withDescription("How many months the feed lasts (default: 12)"),
        Flag.withDefault(12)
      ),
      seed: Flag.Int("seed").pipe(
        Flag.withMetavar("N"),
        Flag.withDescription("Any whole number; another one tells other stories (default: 1)"),
        Flag.withDefault(1)
      ),
      start: Flag.String("start").pipe(
        Flag.withMetavar("DAY"),
        Flag.withDescription("The first day (default: 2024-01-01)"),
        Flag.optional
      ),
      out: Flag.String("out").pipe(
        Flag.withMetavar("DIR"),
        Flag.withDescription("The folder for the files; made when it does not exist")
      ),
      gzip: RequestFlags.toggle("gzip", "Compress every file"),
      json: RequestFlags.json
    },
    generate
  ).pipe(
    Command.withDescription("Write a feed of invented billing events; the same numbers give the same files"),
    Command.withExamples([
      {
        command: `${name} generate --customers 1000 --months 12 --seed 1 --out feed`,
        description: "A year of a thousand customers"
      },
      { command: `BILLING_EVENTS=feed ${name} materialize`, description: "And what the warehouse makes of it" }
    ])
  )

// --- internal ---

interface Input {
  readonly customers: number
  readonly months: number
  readonly seed: number
  readonly start: Option.Option<string>
  readonly out: string
  readonly gzip: boolean
  readonly json: boolean
}

const generate = Effect.fnUntraced(function* (input: Input) {
  const { directory } = yield* Environment.Environment
  const { call } = yield* Host
  const path = yield* Path.Path
  const { out: output } = yield* Screen
  const FeedFile = yield* Effect.promise(() => import("../generator/FeedFile.ts"))
  const out = path.resolve(directory, input.out)
  const written = yield* FeedFile.write({
    customers: input.customers,
    months: input.months,
    seed: input.seed,
    start: Option.getOrUndefined(input.start),
    out,
    gzip: input.gzip ? true : undefined
  })
  if (input.json) return yield* output.write(Json.document({ folder: out, ...written }))
  yield* writeLines(output, [
    ...lines(written, { width: yield* output.columns }),
    "",
    `${Quantity.count(written.rows, "row")} in ${Environment.shownPath(directory, out)}, ${Quantity.number(written.malformed)} of them malformed on purpose.`,
    output.style.dim(`Next: BILLING_EVENTS=${Environment.shownPath(directory, out)} ${call} materialize`)
  ])
})

const lines = ({ files }: Summary, options: { readonly width: number }): ReadonlyArray<string> =>
  Table.render(
    {
      columns: [
        { title: "file" },
        { title: "rows", align: "right", isFixed: true },
        { title: "malformed", align: "right", isFixed: true }
      ],
      rows: files.map(({ malformed, name, rows }) => [name, Quantity.number(rows), Quantity.number(malformed)])
    },
    options
  )
