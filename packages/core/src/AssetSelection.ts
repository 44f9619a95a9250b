/**
 * Which assets of a graph are meant: names, labels, states, and what lies up- or downstream, combined as sets. A selection
 * is data, made by these functions or read from text by `parse`; `resolve` turns it into names in topological order.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Asset, AssetKey } from "./Asset.ts"
import { type AssetGraph, edgesFrom, type UnknownAsset, unknownAsset } from "./AssetGraph.ts"
import * as Grammar from "./internal/selectionGrammar.ts"

/**
 * What can be asked of an asset's labels: `kind` is what its author named, its write strategy, or `source`.
 *
 * @category models
 * @since 0.1.0
 */
export type Attribute = "tag" | "group" | "tier" | "owner" | "kind"

/**
 * What can be asked of an asset's state: units that may differ from the full refresh, partitions never built, a last run
 * that failed.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "stale" | "missing" | "failed"

/**
 * The states that an asset is in.
 *
 * @category models
 * @since 0.1.0
 */
export type StatusOf = (asset: AssetKey) => ReadonlySet<Status>

/**
 * A set of assets, as it was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type AssetSelection =
  | { readonly _tag: "All" }
  | { readonly _tag: "Names"; readonly names: ReadonlyArray<AssetKey> }
  | { readonly _tag: "Matching"; readonly pattern: string }
  | { readonly _tag: "Labelled"; readonly attribute: Attribute; readonly pattern: string }
  | { readonly _tag: "InStatus"; readonly status: Status }
  | { readonly _tag: "Upstream"; readonly of: AssetSelection; readonly depth?: number | undefined }
  | { readonly _tag: "Downstream"; readonly of: AssetSelection; readonly depth?: number | undefined }
  | { readonly _tag: "Roots"; readonly of: AssetSelection }
  | { readonly _tag: "Sinks"; readonly of: AssetSelection }
  | { readonly _tag: "Union"; readonly left: AssetSelection; readonly right: AssetSelection }
  | { readonly _tag: "Intersection"; readonly left: AssetSelection; readonly right: AssetSelection }
  | { readonly _tag: "Difference"; readonly left: AssetSelection; readonly right: AssetSelection }

/**
 * A text that does not say which assets are meant, with the place where it stops making sense.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSelection extends Schema.TaggedError<InvalidSelection>("@assay/core/InvalidSelection")(
  "InvalidSelection",
  { text: Schema.String, start: Schema.Int, end: Schema.Int, problem: Schema.String }
) {
  override get message(): string {
    const { end, shown, start } = excerpt(this)
    const caret = " ".repeat(start) + "^".repeat(Math.max(1, end - start))
    // Behind a caret that stands far to the right, there is no room for a sentence.
    const told = end > 40 ? `${caret}\n  ${this.problem}` : `${caret} ${this.problem}`
    return `cannot read the selection\n  ${shown}\n  ${told}`
  }
}

/**
 * Every asset.
 *
 * @category constructors
 * @since 0.1.0
 */
export const all: AssetSelection = { _tag: "All" }

/**
 * The assets of these names.
 *
 * @category constructors
 * @since 0.1.0
 */
export const names = (...assets: ReadonlyArray<AssetKey>): AssetSelection & { readonly _tag: "Names" } => ({
  _tag: "Names",
  names: assets
})

/**
 * The assets whose names match a pattern, in which `*` stands for any text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const matching = (pattern: string): AssetSelection => ({ _tag: "Matching", pattern })

/**
 * The assets with a tag, of any value or of one: `tag("pii")`, `tag("domain", "billing")`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tag = (name: string, value?: string): AssetSelection =>
  labelled("tag", value === undefined ? name : `${name}=${value}`)

/**
 * The assets of a group.
 *
 * @category constructors
 * @since 0.1.0
 */
export const group = (name: string): AssetSelection => labelled("group", name)

/**
 * The assets of a tier.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tier = (name: string): AssetSelection => labelled("tier", name)

/**
 * The assets that somebody owns.
 *
 * @category constructors
 * @since 0.1.0
 */
export const owner = (name: string): AssetSelection => labelled("owner", name)

/**
 * The assets of a kind: one that their authors named, a write strategy, or `source`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const kind = (name: string): AssetSelection => labelled("kind", name)

/**
 * The assets in a state.
 *
 * @category constructors
 * @since 0.1.0
 */
export const status = (status: Status): AssetSelection => ({ _tag: "InStatus", status })

/**
 * The selected assets and everything they are made of, or what of it is at most `depth` edges away.
 *
 * @category combinators
 * @since 0.1.0
 */
export const upstream = (of: AssetSelection, depth?: number): AssetSelection => ({ _tag: "Upstream", of, depth })

/**
 * The selected assets and everything made of them, or what of it is at most `depth` edges away.
 *
 * @category combinators
 * @since 0.1.0
 */
export const downstream = (of: AssetSelection, depth?: number): AssetSelection => ({ _tag: "Downstream", of, depth })

/**
 * The selected assets that are made of no other selected one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const roots = (of: AssetSelection): AssetSelection => ({ _tag: "Roots", of })

/**
 * The selected assets of which no other selected one is made.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sinks = (of: AssetSelection): AssetSelection => ({ _tag: "Sinks", of })

/**
 * The assets of either selection.
 *
 * @category combinators
 * @since 0.1.0
 */
export const union = (left: AssetSelection, right: AssetSelection): AssetSelection => ({ _tag: "Union", left, right })

/**
 * The assets of both selections.
 *
 * @category combinators
 * @since 0.1.0
 */
export const intersection = (left: AssetSelection, right: AssetSelection): AssetSelection => ({
  _tag: "Intersection",
  left,
  right
})

/**
 * The assets of the first selection that are not in the second.
 *
 * @category combinators
 * @since 0.1.0
 */
export const difference = (left: AssetSelection, right: AssetSelection): AssetSelection => ({
  _tag: "Difference",
  left,
  right
})

/**
 * The assets that are not selected.
 *
 * @category combinators
 * @since 0.1.0
 */
export const not = (of: AssetSelection): AssetSelection => difference(all, of)

/**
 * Whether the ledger must be asked to resolve a selection.
 *
 * @category predicates
 * @since 0.1.0
 */
export const needsStatus = (self: AssetSelection): boolean => {
  switch (self._tag) {
    case "InStatus":
      return true
    case "Upstream":
    case "Downstream":
    case "Roots":
    case "Sinks":
      return needsStatus(self.of)
    case "Union":
    case "Intersection":
    case "Difference":
      return needsStatus(self.left) || needsStatus(self.right)
    default:
      return false
  }
}

/**
 * Reads a selection as a person writes it.
 *
 * **Details**
 *
 * `gold_revenue`, `gold_*`, `+gold_revenue` (with everything upstream), `silver_events+2` (with two steps downstream),
 * `tag:domain=billing`, `group:finance`, `tier:gold`, `owner:ann`, `kind:view`, `status:stale`, `sinks(group:finance)`,
 * `roots(*)`, combined by `and`, `or` (or a comma), `not` and parentheses. `not` binds closest, then `and`, then `or`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (text: string, graph: AssetGraph): Result.Result<AssetSelection, InvalidSelection> =>
  Result.mapError(
    Result.flatMap(Grammar.parse(text), (tree) => fromTree(tree, graph)),
    ({ end, problem, start }) => new InvalidSelection({ text, start, end, problem })
  )

/**
 * Writes a selection as `parse` reads it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (self: AssetSelection): string => {
  switch (self._tag) {
    case "All":
      return "*"
    case "Names":
      return self.names.length === 0 ? "not *" : self.names.join(" or ")
    case "Matching":
      return self.pattern
    case "Labelled":
      return `${self.attribute}:${self.pattern}`
    case "InStatus":
      return `status:${self.status}`
    case "Upstream":
      return `${self.depth ?? ""}+${operand(self.of)}`
    case "Downstream":
      return `${operand(self.of)}+${self.depth ?? ""}`
    case "Roots":
      return `roots(${format(self.of)})`
    case "Sinks":
      return `sinks(${format(self.of)})`
    case "Union":
      return `${operand(self.left)} or ${operand(self.right)}`
    case "Intersection":
      return `${operand(self.left)} and ${operand(self.right)}`
    case "Difference":
      return self.left._tag === "All"
        ? `not ${operand(self.right)}`
        : `${operand(self.left)} and not ${operand(self.right)}`
  }
}

/**
 * The names of the selected assets, upstream before downstream. A selection by state asks `statusOf`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const resolve = (
  self: AssetSelection,
  graph: AssetGraph,
  statusOf: StatusOf = () => new Set()
): Result.Result<ReadonlyArray<AssetKey>, UnknownAsset> =>
  Result.map(members(self, graph, statusOf), (set) => Array.from(graph.assets.keys()).filter((name) => set.has(name)))

// --- internal ---

/** Wider than this, a text does not fit beside a margin on a narrow terminal. */
const widestExcerpt = 70

/** The part of a text around a place, on one line. */
const excerpt = ({ end, start, text }: Grammar.Place & { readonly text: string }) => {
  const line = text.replaceAll(/\p{Cc}/gu, " ")
  if (line.length <= widestExcerpt) return { shown: line, start, end }
  const from = Math.max(0, Math.min(start - 30, line.length - widestExcerpt))
  const to = Math.min(line.length, from + widestExcerpt)
  const before = from > 0 ? "… " : ""
  return {
    shown: `${before}${line.slice(from, to)}${to < line.length ? " …" : ""}`,
    start: start - from + before.length,
    end: Math.min(end, to) - from + before.length
  }
}

type Members = Result.Result<ReadonlySet<AssetKey>, UnknownAsset>

const labelled = (attribute: Attribute, pattern: string): AssetSelection => ({ _tag: "Labelled", attribute, pattern })

const members = (self: AssetSelection, graph: AssetGraph, statusOf: StatusOf): Members => {
  const inner = (selection: AssetSelection): Members => members(selection, graph, statusOf)
  const combine = (
    { left, right }: { readonly left: AssetSelection; readonly right: AssetSelection },
    f: (left: Set<AssetKey>, right: Set<AssetKey>) => ReadonlySet<AssetKey>
  ): Members => Result.flatMap(inner(left), (a) => Result.map(inner(right), (b) => f(new Set(a), new Set(b))))
  switch (self._tag) {
    case "All":
      return Result.succeed(new Set(graph.assets.keys()))
    case "Names": {
      const stranger = self.names.find((name) => !graph.assets.has(name))
      return stranger === undefined ? Result.succeed(new Set(self.names)) : Result.fail(unknownAsset(graph, stranger))
    }
    case "Matching":
      return Result.succeed(filter(graph, ({ name }) => Grammar.matches(self.pattern, name)))
    case "Labelled":
      return Result.succeed(
        filter(graph, (asset) => labelsOf(asset, self.attribute).some((label) => Grammar.matches(self.pattern, label)))
      )
    case "InStatus":
      return Result.succeed(filter(graph, ({ name }) => statusOf(name).has(self.status)))
    case "Upstream":
      return Result.map(inner(self.of), (set) => closure(set, (name) => upstreamOf(graph, name), self.depth))
    case "Downstream":
      return Result.map(inner(self.of), (set) => closure(set, (name) => downstreamOf(graph, name), self.depth))
    case "Roots":
      return Result.map(inner(self.of), (set) => without(set, (name) => upstreamOf(graph, name)))
    case "Sinks":
      return Result.map(inner(self.of), (set) => without(set, (name) => downstreamOf(graph, name)))
    case "Union":
      return combine(self, (left, right) => left.union(right))
    case "Intersection":
      return combine(self, (left, right) => left.intersection(right))
    case "Difference":
      return combine(self, (left, right) => left.difference(right))
  }
}

const filter = (graph: AssetGraph, predicate: (asset: Asset) => boolean): ReadonlySet<AssetKey> =>
  new Set(
    Array.from(graph.assets.values())
      .filter(predicate)
      .map(({ name }) => name)
  )

/** The labels of an asset as a selection names them; a tag with a value is found by its name alone, too. */
const labelsOf = ({ body, labels, write }: Asset, attribute: Attribute): ReadonlyArray<string> => {
  switch (attribute) {
    case "tag":
      return Object.entries(labels.tags).flatMap(([name, value]) =>
        value === "" ? [name] : [name, `${name}=${value}`]
      )
    case "group":
      return labels.group === undefined ? [] : [labels.group]
    case "tier":
      return labels.tier === undefined ? [] : [labels.tier]
    case "owner":
      return labels.owners
    case "kind":
      return [...labels.kinds, write._tag.toLowerCase(), ...(body._tag === "Source" ? ["source"] : [])]
  }
}

const upstreamOf = (graph: AssetGraph, name: AssetKey): ReadonlyArray<AssetKey> =>
  graph.assets.get(name)?.inputs.map((input) => input.asset.name) ?? []

const downstreamOf = (graph: AssetGraph, name: AssetKey): ReadonlyArray<AssetKey> =>
  edgesFrom(graph, name).map((edge) => edge.downstream.name)

const closure = (
  start: ReadonlySet<AssetKey>,
  neighbours: (name: AssetKey) => ReadonlyArray<AssetKey>,
  depth: number = Number.POSITIVE_INFINITY
): ReadonlySet<AssetKey> => {
  const reached = new Set(start)
  let edge: ReadonlyArray<AssetKey> = Array.from(start)
  for (let step = 0; step < depth && edge.length > 0; step++) {
    edge = edge.flatMap(neighbours).filter((name) => !reached.has(name))
    edge.forEach((name) => reached.add(name))
  }
  return reached
}

/** The assets of a set from which no other of it can be reached. */
const without = (
  set: ReadonlySet<AssetKey>,
  neighbours: (name: AssetKey) => ReadonlyArray<AssetKey>
): ReadonlySet<AssetKey> =>
  new Set(
    Array.from(set).filter((name) => {
      const reached = closure(new Set(neighbours(name)), neighbours)
      return !Array.from(reached).some((other) => set.has(other))
    })
  )

const operand = (self: AssetSelection): string => {
  const text = format(self)
  return /[ +]/.test(text) ? `(${text})` : text
}

const attributes: ReadonlyArray<Attribute> = ["tag", "group", "tier", "owner", "kind"]
const statuses: ReadonlyArray<Status> = ["stale", "missing", "failed"]

const fromTree = (tree: Grammar.Tree, graph: AssetGraph): Result.Result<AssetSelection, Grammar.Problem> => {
  const inner = (of: Grammar.Tree) => fromTree(of, graph)
  const both = (
    { left, right }: { readonly left: Grammar.Tree; readonly right: Grammar.Tree },
    f: (left: AssetSelection, right: AssetSelection) => AssetSelection
  ) => Result.flatMap(inner(left), (a) => Result.map(inner(right), (b) => f(a, b)))
  switch (tree._tag) {
    case "Name":
      return nameOf(tree, graph)
    case "Attribute":
      return attributeOf(tree, graph)
    case "Call":
      return Result.map(inner(tree.of), tree.name === "roots" ? roots : sinks)
    case "Traversal":
      return Result.map(inner(tree.of), (of) => {
        const up = tree.upstream === undefined ? [] : [upstream(of, finite(tree.upstream))]
        const down = tree.downstream === undefined ? [] : [downstream(of, finite(tree.downstream))]
        return [...up, ...down].reduce(union)
      })
    case "And":
      return tree.right._tag === "Not"
        ? Result.flatMap(inner(tree.left), (a) =>
            Result.map(inner(tree.right._tag === "Not" ? tree.right.of : tree.right), (b) => difference(a, b))
          )
        : both(tree, intersection)
    case "Or":
      return both(tree, union)
    case "Not":
      return Result.map(inner(tree.of), not)
  }
}

const finite = (depth: number): number | undefined => (Number.isFinite(depth) ? depth : undefined)

const nameOf = (
  { end, start, text }: Grammar.Tree & { readonly _tag: "Name" },
  graph: AssetGraph
): Result.Result<AssetSelection, Grammar.Problem> => {
  const known = Array.from(graph.assets.keys())
  if (text === "*") return Result.succeed(all)
  if (!text.includes("*")) {
    return known.includes(text)
      ? Result.succeed(names(text))
      : Result.fail({ start, end, problem: `no asset has this name${Grammar.hint(text, known)}` })
  }
  return known.some((name) => Grammar.matches(text, name))
    ? Result.succeed(matching(text))
    : Result.fail({ start, end, problem: "no asset has such a name" })
}

const attributeOf = (
  { attribute, end, start, value }: Grammar.Tree & { readonly _tag: "Attribute" },
  graph: AssetGraph
): Result.Result<AssetSelection, Grammar.Problem> => {
  if (attribute === "status") {
    const found = statuses.find((status) => status === value)
    return found === undefined
      ? Result.fail({ start, end, problem: `no such status; there are ${statuses.join(", ")}` })
      : Result.succeed(status(found))
  }
  const found = attributes.find((name) => name === attribute)
  if (found === undefined) {
    const every = [...attributes, "status"]
    const problem = `"${attribute}" cannot be asked for${Grammar.hint(attribute, every)}; there are ${every.join(", ")}`
    return Result.fail({ start, end, problem })
  }
  const labels = Array.from(new Set(Array.from(graph.assets.values()).flatMap((asset) => labelsOf(asset, found))))
  return labels.some((label) => Grammar.matches(value, label))
    ? Result.succeed(labelled(found, value))
    : Result.fail({ start, end, problem: `no asset has this ${found}${Grammar.hint(value, labels)}` })
}
