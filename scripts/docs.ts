/**
 * Is the documentation true? Finds the code blocks of `README.md`, of `docs` and of the documentation comments in
 * `packages/<name>/src`, type checks the TypeScript ones, and runs tutorials.
 *
 * A block is a module of its own; one that starts with "```ts continued" goes on with the block before it. In
 * `docs/tutorial`, a comment on the line above a block tells what to do with it, in the order of the page:
 *
 *     <!-- file: assets.ts -->   write the block to this file
 *     <!-- run -->               run the block with bash; it must end with exit code 0
 *     <!-- output -->            the run before must have printed these lines; a line "…" stands for any lines
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { compile } from "./compile.ts"

/** A fenced block of code. */
export interface Block {
  /** Relative to the root of the repository. */
  readonly file: string
  /** The line of the opening fence. */
  readonly line: number
  readonly language: string
  readonly continued: boolean
  /** What the comment above the block says, such as "run" or "file: assets.ts". */
  readonly marker: string
  /** The lines of code with their line numbers in the file. */
  readonly code: ReadonlyArray<readonly [line: number, text: string]>
}

/** Every documented block of code in the repository. */
export const blocks = (): ReadonlyArray<Block> =>
  [
    ...Fs.globSync(["README.md", "packages/*/README.md", "docs/**/*.md"], {
      exclude: (name) => name === "node_modules"
    }),
    ...Fs.globSync("packages/*/src/**/*.ts")
  ]
    .toSorted()
    .flatMap((file) => parse(file, Fs.readFileSync(file, "utf8")))

/** The blocks of one file, Markdown or TypeScript. */
export const parse = (file: string, text: string): ReadonlyArray<Block> => {
  const found: Array<Block & { readonly code: Array<readonly [number, string]> }> = []
  let open: { readonly prefix: string; readonly fence: string } | undefined
  let above = ""
  text.split("\n").forEach((line, index) => {
    if (open !== undefined) {
      if (line.trim().replace(/^\*\s*/, "") === open.fence) open = undefined
      else found.at(-1)?.code.push([index + 1, line.startsWith(open.prefix) ? line.slice(open.prefix.length) : ""])
      return
    }
    const opening = (file.endsWith(".md") ? markdownFence : commentFence).exec(line)
    if (opening !== null) {
      const [, prefix = "", fence = "", language = "", info = ""] = opening
      open = { prefix, fence }
      const marker = /^\s*<!--\s*(.*?)\s*-->\s*$/.exec(above)?.[1] ?? ""
      const continued = info.split(/\s+/).includes("continued")
      found.push({ file, line: index + 1, language, continued, marker, code: [] })
    }
    if (line.trim() !== "") above = line
  })
  return found
}

/** The blocks that the compiler sees. */
export const isTypeScript = (block: Block): boolean => block.language === "ts" || block.language === "typescript"

/**
 * Type checks blocks in a folder below `examples`, where both packages resolve, and tells for each block what is wrong
 * in terms of the documentation's own lines.
 */
export const typeCheck = (all: ReadonlyArray<Block>, name = ".docs"): ((block: Block) => ReadonlyArray<string>) => {
  const folder = Path.resolve("examples", name)
  Fs.rmSync(folder, { recursive: true, force: true })
  Fs.mkdirSync(folder, { recursive: true })
  const compiled = all.filter(isTypeScript)
  compiled.forEach((block, index) => {
    Fs.writeFileSync(Path.join(folder, moduleOf(block)), moduleText(compiled, index))
  })
  const project = {
    extends: "../../tsconfig.check.json",
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: ["./*.ts"]
  }
  Fs.writeFileSync(Path.join(folder, "tsconfig.json"), JSON.stringify(project))
  const diagnostics = compiled.length === 0 ? [] : compile(folder)
  return (block) =>
    diagnostics
      .filter((found) => found.file === Path.join(folder, moduleOf(block)))
      .map(({ line, code, message }) => `${block.file}:${line} ${code}: ${message}`)
}

/** How a child process ended. */
export interface Outcome {
  readonly exitCode: number | null
  readonly output: string
}

/** Runs a program with the Node of this process, away from the settings of the test runner. */
export const run = (
  command: string,
  options: {
    readonly arguments: ReadonlyArray<string>
    readonly folder: string
    readonly environment?: Readonly<Record<string, string>>
  }
): Promise<Outcome> => {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST|NODE_ENV|DATABASE_URL)/.test(name))
  const path = [Path.dirname(process.execPath), Path.resolve("node_modules/.bin"), process.env["PATH"]]
  const env = { ...Object.fromEntries(inherited), PATH: path.join(Path.delimiter), ...options.environment }
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const limits = { timeout: 100_000, killSignal: "SIGKILL", maxBuffer: 1 << 26 } as const
  const child = ChildProcess.execFile(
    command,
    options.arguments,
    { cwd: options.folder, env, ...limits },
    (_, stdout, stderr) => resolve({ exitCode: child.exitCode, output: `${stdout}${stderr}` })
  )
  child.stdin?.end()
  return promise
}

/** The pages of the tutorial that have something to do. */
export const tutorials = (all: ReadonlyArray<Block>): ReadonlyArray<ReadonlyArray<Block>> => {
  const marked = all.filter((block) => block.file.startsWith("docs/tutorial/") && block.marker !== "")
  return [...Map.groupBy(marked, (block) => block.file).values()]
}

/** Follows a page from an empty folder and tells what did not go as the page says. */
export const follow = async (page: ReadonlyArray<Block>): Promise<ReadonlyArray<string>> => {
  const folder = Path.resolve("examples/.tutorial", (page[0]?.file ?? "").replaceAll("/", "__"))
  Fs.rmSync(folder, { recursive: true, force: true })
  Fs.mkdirSync(folder, { recursive: true })
  let printed = ""
  for (const block of page) {
    const where = `${block.file}:${block.line}`
    const text = block.code.map(([, line]) => `${line}\n`).join("")
    if (block.marker.startsWith("file:")) {
      const file = Path.join(folder, block.marker.slice("file:".length).trim())
      Fs.mkdirSync(Path.dirname(file), { recursive: true })
      Fs.writeFileSync(file, text)
    } else if (block.marker === "run") {
      const { exitCode, output } = await run("bash", { arguments: ["--norc", "-euo", "pipefail", "-c", text], folder })
      if (exitCode !== 0) return [`${where} ended with exit code ${exitCode ?? "none"} and printed:\n${output}`]
      printed = output
    } else if (block.marker === "output") {
      const missing = absent(text, printed)
      if (missing !== undefined) return [`${where} promises the line "${missing}", but the run printed:\n${printed}`]
    } else {
      return [`${where} has the marker "${block.marker}"; known are "run", "output" and "file: <name>"`]
    }
  }
  return []
}

// --- internal ---

const markdownFence = /^(\s*)(`{3,}|~{3,})\s*(\w*)(.*)$/
const commentFence = /^(\s*\* ?)(`{3,}|~{3,})\s*(\w*)(.*)$/

const moduleOf = (block: Block): string => `${block.file.replaceAll(/[^\w.]/g, "_")}_${block.line}.ts`

/** The code of a block, and of those it continues, at the line numbers that it has in the documentation. */
const moduleText = (all: ReadonlyArray<Block>, index: number): string => {
  const lines: Array<string> = []
  for (let at = index; ; at--) {
    const block = all[at]
    if (block === undefined || block.file !== all[index]?.file) break
    for (const [line, text] of block.code) lines[line - 1] = text
    if (!block.continued) break
  }
  return Array.from(lines, (line: string | undefined) => line ?? "").join("\n")
}

/** The first promised line that was not printed in its place. */
const absent = (promised: string, printed: string): string | undefined => {
  const lines = printed.split("\n").map((line) => line.trimEnd())
  let at = 0
  let skipping = true
  for (const wanted of promised.split("\n").map((line) => line.trimEnd())) {
    if (wanted === "") continue
    if (wanted.trim() === "…") {
      skipping = true
      continue
    }
    while (lines[at] === "") at++
    const next = skipping ? lines.indexOf(wanted, at) : lines[at] === wanted ? at : -1
    if (next === -1) return wanted
    at = next + 1
    skipping = false
  }
  return undefined
}
