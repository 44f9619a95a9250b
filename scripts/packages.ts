/**
 * Would a stranger's project work with what we publish? Builds and packs every public package, lints the archives with
 * publint, and type checks and loads every module of them from a project that has only the archives.
 *
 * Usage: node scripts/packages.ts
 */
import { Schema } from "effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { compile } from "./compile.ts"

interface Package {
  readonly folder: string
  readonly name: string
  /** The public import specifiers, read from the sources. */
  readonly specifiers: ReadonlyArray<string>
}

/** The packages of the workspace that are published. */
const published = (): ReadonlyArray<Package> =>
  Fs.globSync("packages/*/package.json")
    .toSorted()
    .flatMap((manifest) => {
      const folder = Path.dirname(manifest)
      const { name, private: isPrivate } = decode(Fs.readFileSync(manifest, "utf8"))
      return isPrivate === true ? [] : [{ folder, name, specifiers: specifiersOf(folder, name) }]
    })

const specifiersOf = (folder: string, name: string): ReadonlyArray<string> =>
  Fs.globSync("**/*.ts", { cwd: Path.join(folder, "src") })
    .map((file) => file.replaceAll(Path.sep, "/").replace(/\.ts$/, ""))
    .filter((module) => !module.startsWith("internal/") && module !== "bin" && !module.endsWith("/bin"))
    .toSorted()
    .map((module) => (module === "index" ? name : `${name}/${module}`))

const Manifest = Schema.Struct({ name: Schema.String, private: Schema.optionalKey(Schema.Boolean) })

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Manifest))

/** Runs a program to its end and fails with everything it printed. */
const execute = (command: string, words: ReadonlyArray<string>, cwd = "."): void => {
  const { status, stdout, stderr } = ChildProcess.spawnSync(command, words, { cwd, encoding: "utf8" })
  if (status !== 0) throw new Error(`${[command, ...words].join(" ")} failed:\n${stdout}${stderr}`)
}

const pnpm = (words: ReadonlyArray<string>, cwd: string): void => {
  const running = process.env["npm_execpath"]
  if (running?.includes("pnpm") === true) execute(running, words, cwd)
  else execute("npx", ["-y", "pnpm@12", ...words], cwd)
}

/** Packs a package, lints the archive and unpacks it where the consumer finds it. */
const install = (found: Package, consumer: string): void => {
  const archives = Fs.mkdtempSync(Path.join(consumer, "archive-"))
  pnpm(["pack", "--pack-destination", archives], found.folder)
  const archive = Path.join(archives, Fs.readdirSync(archives)[0] ?? "")
  execute("publint", ["run", archive, "--strict"])
  const target = Path.join(consumer, "node_modules", found.name)
  Fs.mkdirSync(target, { recursive: true })
  execute("tar", ["-xzf", archive, "-C", target, "--strip-components", "1"])
  const missing = ["LICENSE", "package.json", "dist/index.js", "dist/index.d.ts"].filter(
    (file) => !Fs.existsSync(Path.join(target, file))
  )
  if (missing.length > 0) throw new Error(`the archive of ${found.name} lacks ${missing.join(", ")}`)
}

/** Makes the dependencies of a package resolvable from the consumer, as an installation would. */
const linkDependencies = (found: Package, consumer: string): void => {
  const modules = Path.join(found.folder, "node_modules")
  for (const entry of Fs.globSync(["*", "@*/*"], { cwd: modules })) {
    const target = Path.join(consumer, "node_modules", entry)
    if (/^(@[^/]+|\..*|@assay\/.*)$/.test(entry) || Fs.existsSync(target)) continue
    Fs.mkdirSync(Path.dirname(target), { recursive: true })
    Fs.symlinkSync(Fs.realpathSync(Path.join(modules, entry)), target)
  }
}

/** A Node application has Node's own types: the one thing beside its dependencies that our declarations ask for. */
const linkNodeTypes = (consumer: string): void => {
  const target = Path.join(consumer, "node_modules", "@types", "node")
  Fs.mkdirSync(Path.dirname(target), { recursive: true })
  if (!Fs.existsSync(target)) Fs.symlinkSync(Fs.realpathSync(Path.join("node_modules", "@types", "node")), target)
}

/** Type checks and loads every public module from the consumer's project. */
const consume = (packages: ReadonlyArray<Package>, consumer: string): void => {
  const specifiers = packages.flatMap((found) => found.specifiers)
  const imports = specifiers.map((specifier, index) => `export * as m${index} from "${specifier}"`)
  Fs.writeFileSync(Path.join(consumer, "consumer.ts"), imports.join("\n"))
  Fs.writeFileSync(Path.join(consumer, "package.json"), JSON.stringify({ name: "consumer", type: "module" }))
  const project = {
    compilerOptions: { target: "ES2024", module: "NodeNext", strict: true, skipLibCheck: false, types: ["node"] },
    files: ["consumer.ts"]
  }
  Fs.writeFileSync(Path.join(consumer, "tsconfig.json"), JSON.stringify(project))
  // Declarations of other people may not check; ours, and what imports them, must.
  const diagnostics = compile(consumer).filter(({ file }) => file.startsWith(consumer))
  if (diagnostics.length > 0) {
    throw new Error(diagnostics.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n"))
  }
  Fs.writeFileSync(
    Path.join(consumer, "consumer.js"),
    `await Promise.all(${JSON.stringify(specifiers)}.map((specifier) => import(specifier)))`
  )
  execute("node", ["consumer.js"], consumer)
  console.log(`packages: ${specifiers.length} modules of ${packages.length} packages type check and load`)
}

const packages = published()
const consumer = Fs.mkdtempSync(Path.join(Fs.realpathSync(Os.tmpdir()), "assay-consumer-"))
try {
  for (const { folder } of packages) Fs.rmSync(Path.join(folder, "dist"), { recursive: true, force: true })
  execute("tsc", ["-b", ...packages.map(({ folder }) => folder)])
  for (const found of packages) install(found, consumer)
  for (const found of packages) linkDependencies(found, consumer)
  linkNodeTypes(consumer)
  consume(packages, consumer)
} catch (failure) {
  console.error(failure instanceof Error ? failure.message : failure)
  process.exitCode = 1
} finally {
  Fs.rmSync(consumer, { recursive: true, force: true })
}
