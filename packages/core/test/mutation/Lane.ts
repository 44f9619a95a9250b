/**
 * The mutation lane: tests that prove that the net has no holes. Each mutant is a deliberate fault. A child run of the
 * part of the net that is meant to notice it must fail in an assertion, and without any mutant the net must hold, which
 * one run over the nets of all shows. A mutant that survives is answered by a new law test, never by dropping the mutant.
 *
 * A file of the lane runs one child at a time, and files run side by side, so there are as many children as cores. All
 * children of a file share one server.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs/promises"
import * as Module from "node:module"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Mutant from "./Mutant.ts"
import { layer, Server } from "./Server.ts"
import * as Verdict from "./Verdict.ts"

/** Declares the test that the net of all mutants holds where there is none: else a death would say nothing of a mutant. */
export const control = (configuration: string, mutants: ReadonlyArray<Mutant.Mutant>): void =>
  it.layer(layer, { excludeTestServices: true })((it) => {
    it.effect("without a mutant the net holds", () =>
      Effect.gen(function* () {
        const files = Array.from(new Set(mutants.flatMap(({ net }) => net.files)))
        const tests = new RegExp(Array.from(new Set(mutants.map(({ net }) => net.tests.source))).join("|"))
        const verdict = yield* judged(configuration, undefined, { files, tests })
        assert.deepInclude(verdict, { _tag: "Survived" })
        assert.isAbove(verdict._tag === "Survived" ? verdict.passed : 0, 0)
      })
    )
  })

/** Declares the tests of a lane's mutants, which the child's configuration knows by their names. */
export const suite = (configuration: string, mutants: ReadonlyArray<Mutant.Mutant>): void =>
  it.layer(layer, { excludeTestServices: true })((it) => {
    for (const mutant of mutants) {
      it.effect(`${mutant.name}: is caught (Verifies: ${mutant.laws.join(", ")})`, () =>
        Effect.gen(function* () {
          yield* Effect.promise(() => aim(mutant))
          const verdict = yield* judged(configuration, mutant, mutant.net)
          assert.strictEqual(verdict._tag, "Caught", advice(configuration, mutant, verdict))
          if (verdict._tag === "Caught") {
            process.stdout.write(`"${mutant.name}" is caught by "${verdict.test}": ${verdict.finding}\n`)
          }
        })
      )
    }
  })

// --- internal ---

const judged = (configuration: string, mutant: Mutant.Mutant | undefined, net: Mutant.Net) =>
  Effect.gen(function* () {
    const { url } = yield* Server
    const { output, report } = yield* Effect.promise((signal) =>
      child({ configuration, mutant, net, serverUrl: url, signal })
    )
    if (report === undefined) return { _tag: "Broken", where: "the child run", message: output } as const
    return Verdict.of(yield* Schema.decodeUnknownEffect(Verdict.Report)(report))
  })

/** Fails before anything runs where the source no longer has what a mutant exchanges. */
const aim = async (mutant: Mutant.Mutant): Promise<void> => {
  for (const file of new Set(mutant.edits.map((edit) => Path.join(Mutant.root, edit.file)))) {
    Mutant.mutate(mutant, file, await Fs.readFile(file, "utf8"))
  }
}

const vitest = Path.join(
  Path.dirname(Module.createRequire(import.meta.url).resolve("vitest/package.json")),
  "vitest.mjs"
)

const child = async (options: {
  readonly configuration: string
  readonly mutant: Mutant.Mutant | undefined
  readonly net: Mutant.Net
  readonly serverUrl: string
  readonly signal: AbortSignal
}): Promise<{ readonly output: string; readonly report: string | undefined }> => {
  const { configuration, mutant, net, serverUrl, signal } = options
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "assay-mutant-"))
  const file = Path.join(folder, "report.json")
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"))
  const running = ChildProcess.spawn(
    process.execPath,
    [vitest, ...arguments_(configuration, net), "--reporter=json", `--outputFile=${file}`],
    {
      cwd: Mutant.root,
      env: {
        ...Object.fromEntries(inherited),
        TEST_DATABASE_URL: serverUrl,
        ...(mutant === undefined ? {} : { [Mutant.variable]: mutant.name })
      },
      stdio: ["ignore", "pipe", "pipe"]
    }
  )
  const stop = () => running.kill()
  signal.addEventListener("abort", stop)
  const output: Array<string> = []
  for (const stream of [running.stdout, running.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text))
  }
  await once(running, "close")
  signal.removeEventListener("abort", stop)
  const report = await Fs.readFile(file, "utf8").catch(() => undefined)
  await Fs.rm(folder, { recursive: true })
  return { output: output.join(""), report }
}

const arguments_ = (configuration: string, { files, tests }: Mutant.Net): ReadonlyArray<string> => [
  "run",
  "--config",
  configuration,
  ...files,
  "--testNamePattern",
  tests.source
]

const advice = (configuration: string, mutant: Mutant.Mutant, verdict: Verdict.Verdict): string => {
  const command = `${Mutant.variable}=${JSON.stringify(mutant.name)} node_modules/.bin/vitest ${arguments_(
    configuration,
    mutant.net
  )
    .map((argument) => (/^[\w./-]+$/.test(argument) ? argument : `'${argument}'`))
    .join(" ")}`
  switch (verdict._tag) {
    case "Caught":
      return ""
    case "Survived":
      return verdict.passed === 0
        ? `no test of its net ran: a file or a name has changed. See with\n${command}\n`
        : `the net has a hole: ${mutant.because}, and ${verdict.passed} tests passed all the same. ` +
            `Add the law test that notices. See with\n${command}\n`
    case "Broken":
      return `it fails in another way than by being seen, in ${verdict.where}; see with\n${command}\n${verdict.message}\n`
  }
}
