/**
 * `partitions`: which keys have dynamic partitions, who is cut by them, what was built of each? And adding and removing them.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { stdin } from "node:process"
import type { AssetKey } from "../Asset.ts"
import type { Listing } from "../execution/Repartition.ts"
import { UsageError } from "./ExitCode.ts"
import { Host } from "./Host.ts"
import * as HostReport from "./HostReport.ts"
import * as Json from "./Json.ts"
import * as Paragraph from "./Paragraph.ts"
import * as Quantity from "./Quantity.ts"
import * as RequestFlags from "./RequestFlags.ts"
import { Screen, writeLines } from "./Screen.ts"
import type { Style } from "./Style.ts"
import * as Table from "./Table.ts"

/**
 * What `partitions list --json` prints: each name with its keys, in the order in which they were added.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartitionsDocument {
  readonly partitions: ReadonlyArray<{
    readonly name: string
    readonly assets: ReadonlyArray<AssetKey>
    readonly keys: ReadonlyArray<{
      readonly key: string
      readonly addedAt: string
      readonly builtBy: ReadonlyArray<AssetKey>
    }>
  }>
}

/**
 * What `partitions add --json` and `partitions remove --json` print: the keys that were changed, and those that were as
 * they should be.
 *
 * @category models
 * @since 0.1.0
 */
export interface PartitionsChangeDocument {
  readonly name: string
  readonly changed: ReadonlyArray<string>
  readonly unchanged: ReadonlyArray<string>
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("partitions", {}, () => list({ name: Option.none(), json: false })).pipe(
    Command.withDescription("List the keys of dynamic partitions, add some, or remove some"),
    Command.withSubcommands([
      Command.make("list", { name: Argument.optional(dynamicName), json: RequestFlags.json }, list).pipe(
        Command.withDescription("List the keys of a name, or of all, in the order in which they were added"),
        Command.withExamples([{ command: `${name} partitions list regions`, description: "The keys of one name" }])
      ),
      Command.make("add", { name: dynamicName, keys, json: RequestFlags.json }, add).pipe(
        Command.withDescription("Add keys, which are missing then until they are built"),
        Command.withExamples([
          { command: `${name} partitions add regions west south`, description: "Two more regions" }
        ])
      ),
      Command.make("remove", { name: dynamicName, keys, yes, json: RequestFlags.json }, remove).pipe(
        Command.withDescription("Remove keys; the next run takes back what was built of them"),
        Command.withExamples([
          { command: `${name} partitions remove regions west --yes`, description: "Although it was built" }
        ])
      )
    ])
  )

/**
 * The lines of a list of keys.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  listings: ReadonlyArray<Listing>,
  { now, style, width }: { readonly style: Style; readonly width: number; readonly now: DateTime.Utc }
): ReadonlyArray<string> =>
  listings.flatMap((listing, index) => [
    ...(index === 0 ? [] : [""]),
    ...Paragraph.wrap(
      `${style.bold(listing.name)} ${style.dim(style.words(`· ${Quantity.count(listing.keys.length, "key")}${readers(listing)}`))}`,
      { width }
    ),
    ...(listing.keys.length === 0
      ? []
      : Table.render(
          {
            columns: [{ title: "key", isFixed: true }, { title: "added", isFixed: true }, { title: "built" }],
            rows: listing.keys.map(({ addedAt, builtBy, key }) => [
              Paragraph.visible(key),
              Quantity.ago(addedAt, now),
              builtOf(listing, builtBy, style)
            ])
          },
          { width, style }
        ))
  ])

// --- internal ---

const dynamicName = Argument.String("NAME").pipe(
  Argument.withDescription("The name of the dynamic partitions, as Partitions.dynamic has it")
)

const keys = Argument.String("KEY").pipe(
  Argument.withDescription("A key: 1 to 200 bytes without |, commas and line breaks"),
  Argument.atLeast(1)
)

const yes = RequestFlags.toggle("yes", "Do not ask before rows that were built go with the keys")

const readers = ({ assets }: Listing): string => (assets.length === 0 ? "" : `, for ${assets.join(", ")}`)

const builtOf = ({ assets }: Listing, builtBy: ReadonlyArray<AssetKey>, style: Style): string => {
  if (builtBy.length === 0) return style.yellow("no")
  return builtBy.length === assets.length ? "yes" : `only by ${builtBy.join(", ")}`
}

const list = Effect.fnUntraced(function* ({
  json,
  name
}: {
  readonly name: Option.Option<string>
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const AssetGraph = yield* Effect.promise(() => import("../AssetGraph.ts"))
  const names = Option.match(name, {
    onNone: () => AssetGraph.dynamicNames(session.assay.graph),
    onSome: (given) => [given]
  })
  const listings = yield* Effect.forEach(names, session.assay.partitions)
  if (json) return yield* out.write(Json.document(documentOf(listings)))
  yield* writeLines(out, HostReport.header("partitions", session, out.style))
  if (listings.length === 0)
    return yield* writeLines(out, ["No asset is cut by dynamic partitions: all keys are in the code."])
  const now = yield* DateTime.now
  yield* writeLines(out, lines(listings, { style: out.style, width: yield* out.columns, now }))
  if (listings.every((listing) => listing.keys.length === 0)) {
    const hint = `${host.call} partitions add ${listings[0]?.name ?? "NAME"} KEY`
    yield* writeLines(out, ["", out.style.dim(`There are no keys yet: ${hint}`)])
  }
}, Effect.scoped)

const add = Effect.fnUntraced(function* (input: {
  readonly name: string
  readonly keys: ReadonlyArray<string>
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const added = yield* session.assay.addPartitions(input.name, input.keys)
  if (input.json) return yield* out.write(Json.document(changeOf(input, added)))
  yield* writeLines(out, HostReport.header("partitions add", session, out.style))
  yield* writeLines(out, [
    ...told(added, { name: input.name, verb: "added to" }),
    ...told(changeOf(input, added).unchanged, { name: input.name, verb: "already in" }),
    ...(added.length === 0 ? [] : [out.style.dim(`Next: ${host.call} materialize`)])
  ])
}, Effect.scoped)

const remove = Effect.fnUntraced(function* (input: {
  readonly name: string
  readonly keys: ReadonlyArray<string>
  readonly yes: boolean
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const listing = yield* session.assay.partitions(input.name)
  const built = listing.keys.filter(({ builtBy, key }) => builtBy.length > 0 && input.keys.includes(key))
  if (built.length > 0 && !(yield* isAgreed(built, input))) return yield* writeLines(out, ["Nothing was removed."])
  const removed = yield* session.assay.removePartitions(input.name, input.keys)
  if (input.json) return yield* out.write(Json.document(changeOf(input, removed)))
  yield* writeLines(out, HostReport.header("partitions remove", session, out.style))
  yield* writeLines(out, [
    ...told(removed, { name: input.name, verb: "removed from" }),
    ...told(changeOf(input, removed).unchanged, { name: input.name, verb: "not in" }),
    ...(built.length === 0
      ? []
      : [out.style.dim(`What was built of it goes with the next run: ${host.call} materialize`)])
  ])
}, Effect.scoped)

/** Asks where rows will go with the keys; refuses to guess the answer where nobody can be asked. */
const isAgreed = Effect.fnUntraced(function* (
  built: Listing["keys"],
  { json, yes }: { readonly json: boolean; readonly yes: boolean }
) {
  if (yes) return true
  const { out } = yield* Screen
  const assets = Array.from(new Set(built.flatMap(({ builtBy }) => builtBy)))
  const [verb, whose] = built.length === 1 ? ["was", "its"] : ["were", "their"]
  const loss =
    `${some(built.map(({ key }) => key))} ${verb} built: the next run would remove ${whose} rows from ` +
    `${assets.join(", ")}.`
  if (json || !out.isTerminal || !stdin.isTTY) {
    return yield* new UsageError({
      message: `${loss} Nobody can be asked here, so nothing was removed. If that is meant, say --yes.`
    })
  }
  yield* writeLines(out, Paragraph.wrap(loss, { width: yield* out.columns }))
  const { Confirm } = yield* Effect.promise(() => import("effect/cli/Prompt"))
  return yield* Confirm({ message: `Remove ${Quantity.count(built.length, "key")}?`, initial: false }).pipe(
    Effect.catch(() => Effect.interrupt)
  )
})

const told = (
  changed: ReadonlyArray<string>,
  { name, verb }: { readonly name: string; readonly verb: string }
): ReadonlyArray<string> => (changed.length === 0 ? [] : [`${some(changed)} ${verb} ${name}.`])

const some = (names: ReadonlyArray<string>): string => {
  const shown = names.map(Paragraph.visible)
  return shown.length <= 6 ? shown.join(", ") : `${shown.slice(0, 5).join(", ")} and ${shown.length - 5} more`
}

const changeOf = (
  input: { readonly name: string; readonly keys: ReadonlyArray<string> },
  changed: ReadonlyArray<string>
): PartitionsChangeDocument => ({
  name: input.name,
  changed,
  unchanged: Array.from(new Set(input.keys)).filter((key) => !changed.includes(key))
})

const documentOf = (listings: ReadonlyArray<Listing>): PartitionsDocument => ({
  partitions: listings.map(({ assets, keys, name }) => ({
    name,
    assets,
    keys: keys.map(({ addedAt, builtBy, key }) => ({ key, addedAt: DateTime.formatIso(addedAt), builtBy }))
  }))
})
