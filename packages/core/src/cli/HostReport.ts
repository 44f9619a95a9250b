/**
 * Where does a command work, and does its request make sense there? The first line of what commands print, and the
 * sentences about requests that only the graph can judge.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Asset } from "../Asset.ts"
import type { AssetGraph } from "../AssetGraph.ts"
import { DefinitionFault } from "../MaterializationError.ts"
import type { Request } from "../planning/Request.ts"
import { UsageError } from "./ExitCode.ts"
import * as Host from "./Host.ts"
import * as RequestFlags from "./RequestFlags.ts"
import type { Style } from "./Style.ts"

/**
 * The first line of a command's text: what is done, on which target and database.
 *
 * @category conversions
 * @since 0.1.0
 */
export const header = (what: string, session: Host.Session, style: Style): ReadonlyArray<string> => {
  const place = `target ${session.target}, ${Host.describe(session.database)}`
  return [`${style.bold(what)} ${style.dim(style.words(`· ${place}`))}`, ""]
}

/**
 * Fails where a request names an asset or a range that there is not, or a range where no named asset has partitions that
 * it could choose from.
 *
 * @category checks
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function* ({ assay }: Pick<Host.Session, "assay">, request: Request) {
  const graph = yield* assay.current
  const Requests = yield* Effect.promise(() => import("../planning/Request.ts"))
  const now = yield* Clock.currentTimeMillis
  const targets = yield* Effect.fromResult(Requests.targets(request, { graph, now }))
  const named = targets.flatMap(({ asset, isNamed }) => (isNamed ? [asset] : []))
  if (request.partitions === undefined || named.some(hasPartitions)) return
  return yield* new UsageError({
    message: withoutPartitions(
      named.map(({ name }) => name),
      graph
    )
  })
})

/**
 * The names that the flags select: undefined where no flag is given, which means all. Fails where an expression cannot be
 * read.
 *
 * @category checks
 * @since 0.1.0
 */
export const select = Effect.fnUntraced(function* (
  { assay }: Pick<Host.Session, "assay">,
  selection: RequestFlags.Selection
) {
  const expressions = RequestFlags.expressions(selection)
  if (expressions.length === 0) return undefined
  const names = yield* Effect.forEach(expressions, (expression) => assay.select(expression))
  const selected = new Set(names.flat())
  return Array.from(assay.graph.assets.keys()).filter((name) => selected.has(name))
})

/**
 * The sentence for a selection that holds no asset, as a selection by state may.
 *
 * @category conversions
 * @since 0.1.0
 */
export const nothingSelected = (selection: RequestFlags.Selection): string =>
  `No asset is selected by ${RequestFlags.expressions(selection).join(" or ")}.`

/**
 * What stops a request before anything is run is the user's to mend: a source that points nowhere, a definition that is
 * wrong.
 *
 * @category errors
 * @since 0.1.0
 */
export const blameSetup = <A, E, R>(
  effect: Effect.Effect<A, E | DefinitionFault, R>
): Effect.Effect<A, E | UsageError, R> =>
  Effect.catchIf(
    effect,
    (error) => error instanceof DefinitionFault,
    ({ message }) => Effect.fail(new UsageError({ message }))
  )

/**
 * The sentence for assets that have no partitions to choose from.
 *
 * @category conversions
 * @since 0.1.0
 */
export const withoutPartitions = (names: ReadonlyArray<string>, graph: AssetGraph<never>): string => {
  const others = Array.from(graph.assets.values())
    .filter(hasPartitions)
    .map(({ name }) => name)
  const [verb, pronoun] = names.length === 1 ? ["has", "it"] : ["have", "they"]
  const instead = others.length === 0 ? "" : `, or name an asset that has partitions: ${others.join(", ")}`
  return `${names.join(" and ")} ${verb} no partitions, so ${pronoun} cannot take --partitions. Leave it out${instead}.`
}

/**
 * Whether the rows of an asset are cut into partitions that a range can choose from.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasPartitions = ({ write }: Asset): boolean =>
  // As `Asset.partitionedBy` says, which would load all of the vocabulary for every help.
  write._tag === "ReplacePartitions" || (write._tag === "Upsert" && write.partitionedBy !== undefined)
