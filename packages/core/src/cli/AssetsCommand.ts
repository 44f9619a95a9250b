/**
 * `assets`: which assets are there? Their names, kinds, groups, partitions, inputs and descriptions, as the graph defines
 * them; the ledger is asked only where the selection asks for states.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { Asset, AssetKey } from "../Asset.ts"
import type { AssetLabels } from "../AssetLabels.ts"
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
 * The labels of an asset in documents.
 *
 * @category models
 * @since 0.1.0
 */
export interface LabelsDocument {
  readonly group: string | null
  readonly tier: string | null
  readonly owners: ReadonlyArray<string>
  readonly kinds: ReadonlyArray<string>
  readonly tags: { readonly [name: string]: string }
}

/**
 * What `assets --json` prints, upstream before downstream.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetsDocument {
  readonly target: string
  readonly assets: ReadonlyArray<{
    readonly asset: AssetKey
    readonly description: string
    /** Its write strategy, or `source`. */
    readonly kind: string
    readonly labels: LabelsDocument
    /** Null where it has none. */
    readonly partitions: string | null
    readonly inputs: ReadonlyArray<AssetKey>
    readonly automation: string
    readonly columns: ReadonlyArray<string>
  }>
}

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (name: string) =>
  Command.make("assets", { selection: RequestFlags.selection, json: RequestFlags.json }, list).pipe(
    Command.withDescription("List the assets: kind, group, partitions, inputs, description"),
    Command.withExamples([
      { command: `${name} assets`, description: "All, upstream before downstream" },
      { command: `${name} assets --select '+gold_revenue'`, description: "What an asset is made of" }
    ])
  )

/**
 * The lines of a list of assets.
 *
 * @category conversions
 * @since 0.1.0
 */
export const lines = (
  assets: ReadonlyArray<Asset>,
  options: { readonly style: Style; readonly width: number }
): ReadonlyArray<string> => {
  const { style, width } = options
  const nothing = style.dim(style.words("–"))
  const table = Table.render(
    {
      columns: [
        { title: "asset", isFixed: true },
        { title: "kind", isFixed: true },
        { title: "group" },
        { title: "partitions" },
        { title: "inputs" }
      ],
      rows: assets.map((asset) => [
        asset.name,
        kindOf(asset),
        asset.labels.group ?? nothing,
        cutOf(asset) ?? nothing,
        inputsOf(asset).join(", ") || nothing
      ])
    },
    options
  )
  const nameWidth = Math.max(...assets.map(({ name }) => name.length))
  return [
    ...table,
    "",
    ...assets.flatMap(({ description, name }) =>
      Paragraph.wrap(Paragraph.visible(description), { width: Math.max(24, width - nameWidth - 2) }).map(
        (line, index) => `${index === 0 ? style.dim(name.padEnd(nameWidth)) : " ".repeat(nameWidth)}  ${line}`
      )
    )
  ]
}

/**
 * The labels as documents have them.
 *
 * @category conversions
 * @since 0.1.0
 */
export const labelsDocument = ({ group, kinds, owners, tags, tier }: AssetLabels): LabelsDocument => ({
  group: group ?? null,
  tier: tier ?? null,
  owners,
  kinds,
  tags
})

// --- internal ---

const list = Effect.fnUntraced(function* (input: {
  readonly selection: RequestFlags.Selection
  readonly json: boolean
}) {
  const host = yield* Host
  const { out } = yield* Screen
  const session = yield* host.open
  const names = yield* HostReport.select(session, input.selection)
  const graph = yield* session.assay.current
  const assets = (names ?? Array.from(graph.assets.keys())).flatMap((name) => graph.assets.get(name) ?? [])
  if (input.json) {
    const Partitions = yield* Effect.promise(() => import("../Partitions.ts"))
    const AutomationCondition = yield* Effect.promise(() => import("../AutomationCondition.ts"))
    const document: AssetsDocument = {
      target: session.target,
      assets: assets.map(({ partitions, policy, ...asset }) => ({
        asset: asset.name,
        description: asset.description,
        kind: kindOf(asset),
        labels: labelsDocument(asset.labels),
        partitions: Partitions.isUnpartitioned(partitions) ? null : Partitions.format(partitions),
        inputs: inputsOf(asset),
        automation: AutomationCondition.format(policy.automation),
        columns: asset.columns.map(({ name }) => name)
      }))
    }
    return yield* out.write(Json.document(document))
  }
  yield* writeLines(out, HostReport.header("assets", session, out.style))
  const isNothing = assets.length === 0
  yield* writeLines(
    out,
    isNothing
      ? [names === undefined ? "The graph has no assets." : HostReport.nothingSelected(input.selection)]
      : lines(assets, { style: out.style, width: yield* out.columns })
  )
}, Effect.scoped)

/** What `kind:` finds it by: how it is written, but for a source, which says more by being one. */
const kindOf = ({ body, write }: Pick<Asset, "body" | "write">): string =>
  body._tag === "Source" ? "source" : write._tag.toLowerCase()

/** The cut in a word or two; the document has all of it. */
const cutOf = ({ partitions }: Pick<Asset, "partitions">): string | undefined => {
  switch (partitions._tag) {
    case "Multi":
      return partitions.dimensions.map((one) => `${one.name} (${cutOf(one) ?? ""})`).join(" | ")
    case "Unpartitioned":
      return undefined
    case "TimeWindows":
      return partitions.timeZone === "UTC" ? partitions.cadence : `${partitions.cadence} (${partitions.timeZone})`
    case "Static":
      return partitions.dynamic === undefined
        ? Quantity.count(partitions.keys.length, "name")
        : `${Quantity.count(partitions.keys.length, "key")} of ${partitions.dynamic.name}`
  }
}

const inputsOf = ({ inputs }: Pick<Asset, "inputs">): ReadonlyArray<AssetKey> =>
  Array.from(new Set(inputs.map(({ asset }) => asset.name)))
