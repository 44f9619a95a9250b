/**
 * Is what a picture shows right? By the naive recompute, of each table from the tables it reads (L2) or of the whole
 * chain from the source (L1). An answer is what is wrong, or nothing.
 */
import type { AssetGraph } from "@assay/core/AssetGraph"
import type { Picture, Row } from "./Picture.ts"
import type { World } from "./Subject.ts"

type Rules = Pick<World<never>, "naive" | "unitOf" | "untold">

/**
 * Judges pictures of one history, each fresh unit against its recompute from the tables as they are (L2). What was right
 * in an earlier picture and has not changed is not judged again.
 */
export const make = ({ naive, unitOf, untold }: Rules) => {
  const right = new Map<string, string>()
  return (picture: Picture, graph: AssetGraph, now: number): string | undefined => {
    for (const asset of graph.assets.values()) {
      const { inputs, name } = asset
      const compute = naive[name]
      if (compute === undefined) continue
      const key = JSON.stringify([
        now,
        picture.standing(name),
        ...[name, ...inputs.map((input) => input.asset.name)].map(picture.contents)
      ])
      if (right.get(name) === key) continue
      const isFresh = (row: Row) => picture.isFresh(asset, unitOf(name, row))
      const wrong = difference(picture.table(name).filter(isFresh), compute(picture.table, now).filter(isFresh), untold)
      if (wrong !== undefined) return `fresh units of ${name} are not their recompute: ${wrong}`
      right.set(name, key)
    }
    return undefined
  }
}

/** Judges whether every table is the full refresh of the source, with no unit stale (L1). */
export const ofEverything = (
  { naive, unitOf, untold }: Rules,
  picture: Picture,
  options: { readonly graph: AssetGraph; readonly source: string; readonly now: number }
): string | undefined => {
  const { graph, now, source } = options
  const refreshed = new Map<string, ReadonlyArray<Row>>([[source, picture.table(source)]])
  for (const [name, compute] of Object.entries(naive)) {
    const wanted = compute((name) => refreshed.get(name) ?? [], now)
    refreshed.set(name, wanted)
    const wrong = difference(picture.table(name), wanted, untold)
    if (wrong !== undefined) return `${name} is not the full refresh: ${wrong}`
    const asset = graph.assets.get(name)
    const stale = wanted.find((row) => asset !== undefined && !picture.isFresh(asset, unitOf(name, row)))
    if (stale !== undefined) return `a unit of ${name} is stale after everything was done: ${JSON.stringify(stale)}`
  }
  return undefined
}

// --- internal ---

const difference = (
  found: ReadonlyArray<Row>,
  wanted: ReadonlyArray<Row>,
  untold: ReadonlySet<string>
): string | undefined => {
  const [a, b] = [canonical(found, untold), canonical(wanted, untold)]
  if (a.length === b.length && a.every((row, index) => row === b[index])) return undefined
  const [inA, inB] = [new Set(a), new Set(b)]
  return JSON.stringify({
    rows: [a.length, b.length],
    surplus: a.filter((row) => !inB.has(row)),
    missing: b.filter((row) => !inA.has(row))
  })
}

/** Rows as sorted texts. */
const canonical = (rows: ReadonlyArray<Row>, untold: ReadonlySet<string>): ReadonlyArray<string> =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .filter(([name]) => !untold.has(name))
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
      )
    )
    .toSorted()
