/**
 * How does help read? What the command does, how it is called, what it takes, what it reads from the environment, and
 * examples, no wider than the terminal.
 */
import type { FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import * as Option from "effect/Option"
import * as Paragraph from "./Paragraph.ts"
import type { Style } from "./Style.ts"

/**
 * A setting that the application reads from the environment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly name: string
  readonly description: string
}

/**
 * The lines of a help page. Settings and global flags stand on the page of the application itself.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  doc: HelpDoc,
  options: {
    readonly style: Style
    readonly width: number
    readonly settings: ReadonlyArray<Setting>
    readonly call: string
  }
): ReadonlyArray<string> => {
  const { settings, style } = options
  const width = Math.min(options.width, widest)
  const path = doc.commandPath ?? []
  const isRoot = path.length < 2
  const section = (title: string, rows: ReadonlyArray<Entry>): ReadonlyArray<string> =>
    rows.length === 0 ? [] : ["", style.bold(title), ...entries(rows, { style, width })]
  return [
    ...Paragraph.wrap(doc.description, { width }),
    "",
    `${style.bold("Usage")}  ${usage(doc)}`,
    ...section(
      "Commands",
      (doc.subcommands ?? []).flatMap(({ commands }) =>
        commands.map(({ description, name }) => [name, description] as const)
      )
    ),
    ...section(
      "Arguments",
      (doc.args ?? []).map(({ description, name }) => [name, Option.getOrElse(description, () => "")] as const)
    ),
    ...section("Flags", [...doc.flags, ...(doc.inheritedFlags ?? [])].map(flag)),
    ...(isRoot ? section("Flags of every command", (doc.globalFlags ?? []).map(flag)) : []),
    ...(isRoot
      ? section(
          "Environment",
          settings.map(({ description, name }) => [name, description] as const)
        )
      : []),
    ...((doc.examples ?? []).length === 0 ? [] : ["", style.bold("Examples")]),
    ...(doc.examples ?? []).flatMap(({ command, description }) => [
      ...(description === undefined ? [] : [style.dim(`  # ${description}`)]),
      `  ${command}`
    ]),
    ...(isRoot && (doc.subcommands ?? []).length > 0
      ? ["", style.dim(`More about a command: ${options.call} <command> --help`)]
      : [])
  ]
}

// --- internal ---

type Entry = readonly [name: string, text: string]

/** Longer lines are hard to read, however wide the terminal is. */
const widest = 100

/** A command with flags and commands beneath it does something by itself, too. */
const usage = ({ flags, subcommands = [], usage: text }: HelpDoc): string =>
  subcommands.length === 0 ? text : text.replace("<subcommand>", flags.length > 0 ? "[command]" : "<command>")

const flag = ({ aliases, description, name, type }: FlagDoc): Entry => {
  const short = aliases.filter((alias) => /^-[^-]$/.test(alias)).map((alias) => `${alias}, `)
  const isChoice = type.includes("|")
  const isShown = type.length <= widestValue
  const value = type === "boolean" ? "" : isShown ? ` ${type}` : " VALUE"
  const text = Option.getOrElse(description, () => "")
  return [
    `${short.join("").padStart(4)}--${name}${value}`,
    isChoice && isShown ? text.replace(/ \(choices: .*\)$/, "") : text
  ]
}

const widestValue = 20

const entries = (
  rows: ReadonlyArray<Entry>,
  { style, width }: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const nameWidth = rows.reduce((longest, [name]) => Math.max(longest, Paragraph.width(name)), 0)
  return rows.flatMap(([name, text]) => {
    const wrapped = Paragraph.wrap(style.words(text), { width: Math.max(24, width - nameWidth - 4) })
    return wrapped.map(
      (line, index) => `  ${index === 0 ? style.green(name.padEnd(nameWidth)) : " ".repeat(nameWidth)}  ${line}`
    )
  })
}
