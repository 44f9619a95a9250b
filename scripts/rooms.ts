/**
 * Which files may import which? Fails when a file of `@assay/core` imports a room above its own or a sibling room, when
 * files import each other in a circle, and when anything outside a package reaches past its public specifiers.
 *
 * Usage: node scripts/rooms.ts [root of the repository]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** The rooms of `@assay/core`, as data flows: a room imports what stands lower, never higher and never beside it. */
const ranks: ReadonlyMap<string, number> = new Map([
  ["root", 0],
  ["internal", 0],
  ["postgres", 1],
  ["ledger", 2],
  ["source", 2],
  ["warehouse", 2],
  ["planning", 3],
  ["execution", 4],
  ["lineage", 5],
  ["observability", 5],
  ["front door", 6],
  ["host", 7],
  ["cli", 7],
  ["server", 7],
  ["testing", 7],
  ["index", 8]
])

/** Pairs of one rank that may see each other, written "importer imported". */
const neighbours: ReadonlySet<string> = new Set(["root internal", "internal root", "cli server"])

/** The files at the root that stand above rooms: the one that joins them, and the one that lists everything public. */
const openings: ReadonlyMap<string, string> = new Map([
  ["Assay.ts", "front door"],
  ["Automation.ts", "host"],
  ["index.ts", "index"]
])

interface Import {
  readonly from: string
  readonly line: number
  readonly specifier: string
  /** The imported file, relative to the repository, when it is one of ours. */
  readonly to: string | undefined
}

/** Every broken rule under a repository root, as sentences. */
export const findings = (root: string): ReadonlyArray<string> => {
  const imports = sources(root).flatMap((file) => importsOf(root, file))
  return [...imports.flatMap((found) => judge(root, found)), ...cycles(imports)]
}

/** The TypeScript files of packages, examples and scripts, relative to the root. */
const sources = (root: string): ReadonlyArray<string> =>
  Fs.globSync(["packages/*/{src,test,typetest,benchmark}/**/*.{ts,tsx}", "examples/*.ts"], { cwd: root })
    .map((file) => file.replaceAll(Path.sep, "/"))
    .filter((file) => !file.includes("/.generated/") && !file.includes("/node_modules/"))
    .toSorted()

const statement = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g

const importsOf = (root: string, file: string): ReadonlyArray<Import> => {
  const text = withoutComments(Fs.readFileSync(Path.join(root, file), "utf8"))
  return [...text.matchAll(statement)].flatMap((match) => {
    const specifier = match[1] ?? ""
    if (!specifier.startsWith(".") && !specifier.startsWith("@assay/")) return []
    const line = text.slice(0, match.index).split("\n").length
    return [{ from: file, line, specifier, to: target(root, file, specifier) }]
  })
}

/** Blanks comments but keeps their line breaks, so that examples in documentation are not taken for imports. */
const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, " "))

const target = (root: string, from: string, specifier: string): string | undefined => {
  if (specifier.startsWith(".")) return Path.posix.join(Path.posix.dirname(from), specifier)
  const [, name = "", path] = /^@assay\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? []
  const file = `packages/${name}/src/${path ?? "index"}.ts`
  return Fs.existsSync(Path.join(root, file)) ? file : undefined
}

const judge = (root: string, found: Import): ReadonlyArray<string> => {
  const complain = (reason: string) => [`${found.from}:${found.line} imports "${found.specifier}": ${reason}`]
  const from = place(found.from)
  if (found.to === undefined) return complain(`no such public module; ${publicModules(root, found.specifier)}`)
  const to = place(found.to)
  if (found.specifier.startsWith(".")) {
    // Tests are not published: those of a package may stand on what the core's tests stand on.
    const sharesTests = from.folder === "test" && to.folder === "test" && to.package === "core"
    if (sharesTests) return []
    if (from.package !== to.package) return complain(`another package is imported by name, as "@assay/…"`)
    if (from.folder !== "src" && to.folder === "src" && to.room !== "internal") {
      return complain(`tests import what users import, "@assay/${to.package}/${to.module}"`)
    }
  } else if (from.package === to.package && from.folder === "src") {
    return complain("a file of the same package is imported by its relative path")
  } else if (to.room === "internal") {
    return complain(`"internal" is private to @assay/${to.package}`)
  }
  if (to.package === "core" && from.package !== "core") return []
  if (from.package === "core" && to.package !== "core") return complain("@assay/core knows no other package")
  return from.package === "core" && from.folder === "src" ? climb(from.room, to.room, complain) : []
}

const climb = (
  from: string,
  to: string,
  complain: (reason: string) => ReadonlyArray<string>
): ReadonlyArray<string> => {
  const [fromRank, toRank] = [ranks.get(from), ranks.get(to)]
  if (fromRank === undefined || toRank === undefined) {
    return complain(`the room "${fromRank === undefined ? from : to}" has no rank; give it one in scripts/rooms.ts`)
  }
  if (from === to || fromRank > toRank || neighbours.has(`${from} ${to}`)) return []
  return complain(
    fromRank === toRank
      ? `"${from}" and "${to}" are siblings, blind to each other; they meet in a room above both`
      : `"${from}" (${fromRank}) stands below "${to}" (${toRank}); move what both need down, or pass it in`
  )
}

interface Place {
  readonly package: string
  /** `src`, `test`, `typetest`, or nothing outside of packages. */
  readonly folder: string
  readonly room: string
  readonly module: string
}

const place = (file: string): Place => {
  const [top = "", name = "", folder = "", ...inside] = file.split("/")
  if (top !== "packages") return { package: top, folder: "", room: "", module: file }
  const path = inside.join("/")
  const room = inside.length > 1 ? (inside[0] ?? "") : (openings.get(path) ?? "root")
  return { package: name, folder, room, module: path.replace(/\.tsx?$/, "") }
}

const publicModules = (root: string, specifier: string): string => {
  const name = specifier.split("/")[1] ?? ""
  return Fs.existsSync(Path.join(root, "packages", name))
    ? `public modules are the files of packages/${name}/src`
    : `there is no package @assay/${name}`
}

/** Circles of imports, each told once from its alphabetically first file. */
const cycles = (imports: ReadonlyArray<Import>): ReadonlyArray<string> => {
  const edges = new Map<string, Array<string>>()
  for (const { from, to } of imports) if (to !== undefined) edges.set(from, [...(edges.get(from) ?? []), to])
  const state = new Map<string, "open" | "done">()
  const found: Array<string> = []
  const visit = (file: string, path: ReadonlyArray<string>): void => {
    if (state.get(file) === "done") return
    if (state.get(file) === "open") {
      const circle = path.slice(path.indexOf(file))
      const first = circle.indexOf(circle.toSorted()[0] ?? "")
      const turned = [...circle.slice(first), ...circle.slice(0, first)]
      found.push(`import cycle: ${[...turned, turned[0]].join(" → ")}`)
      return
    }
    state.set(file, "open")
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    state.set(file, "done")
  }
  for (const file of edges.keys()) visit(file, [])
  return [...new Set(found)]
}

if (import.meta.main) {
  const found = findings(Path.resolve(process.argv[2] ?? "."))
  for (const finding of found) console.error(finding)
  console.log(found.length === 0 ? "rooms: every import goes down" : `rooms: ${found.length} broken rules`)
  process.exitCode = found.length === 0 ? 0 : 1
}
