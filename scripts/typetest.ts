/**
 * Does what must not compile fail, and with a message that people understand? A type test is a TypeScript file in
 * `packages/<name>/typetest` in which every line that must fail stands below a comment with words of the error:
 *
 *     // @ts-expect-error: Type '"gold_revenu"' is not assignable
 *     Plan.select("gold_revenu")
 *
 * Everything else in the file must compile. The files are copied without their directives, compiled once, and the
 * diagnostics are compared with the comments.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { compile } from "./compile.ts"
import type { Diagnostic } from "./compile.ts"

/** One line that must not compile. */
export interface Expectation {
  /** Relative to the folder of the type tests. */
  readonly file: string
  /** The line of the comment. */
  readonly line: number
  /** Words that the message must contain; empty when any error will do. */
  readonly words: string
}

/** What the compiler said about a folder of type tests. */
export interface Verdict {
  /** Why the expectation is not met, or nothing. */
  readonly judge: (expectation: Expectation) => string | undefined
  /** The complaints about a file at lines where nobody expected one. */
  readonly unexpected: (file: string) => ReadonlyArray<string>
}

/** The type tests of a folder, relative to it. */
export const files = (folder: string): ReadonlyArray<string> => Fs.globSync("*.ts", { cwd: folder }).toSorted()

const directive = /^(\s*)\/\/\s*@ts-expect-error\b:?\s*(.*)$/

/** The lines of a file that must not compile. */
export const expectations = (folder: string, file: string): ReadonlyArray<Expectation> =>
  read(folder, file).flatMap((text, index) => {
    const match = directive.exec(text)
    return match === null ? [] : [{ file, line: index + 1, words: (match[2] ?? "").trim() }]
  })

/** Compiles a folder of type tests. */
export const verdict = (folder: string): Verdict => {
  const generated = Path.join(folder, ".generated")
  Fs.rmSync(generated, { recursive: true, force: true })
  Fs.mkdirSync(generated, { recursive: true })
  for (const file of files(folder)) {
    const text = read(folder, file).map((line) => line.replace(directive, "$1// must not compile: $2"))
    Fs.writeFileSync(Path.join(generated, file), text.join("\n"))
  }
  const base = Path.relative(generated, Path.resolve("tsconfig.check.json"))
  const project = {
    extends: base.startsWith(".") ? base : `./${base}`,
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: ["./*.ts"]
  }
  Fs.writeFileSync(Path.join(generated, "tsconfig.json"), JSON.stringify(project))
  const diagnostics = compile(generated)
  const about = (file: string) => diagnostics.filter((found) => found.file === Path.resolve(generated, file))
  return {
    judge: (expectation) => judge(expectation, about(expectation.file), read(folder, expectation.file)),
    unexpected: (file) => {
      const expected = new Set(expectations(folder, file).map(({ line }) => below(read(folder, file), line)))
      return about(file)
        .filter(({ line }) => !expected.has(line))
        .map(({ line, code, message }) => `${Path.join(folder, file)}:${line} ${code}: ${message}`)
    }
  }
}

// --- internal ---

const read = (folder: string, file: string): ReadonlyArray<string> =>
  Fs.readFileSync(Path.join(folder, file), "utf8").split("\n")

const judge = (
  expectation: Expectation,
  diagnostics: ReadonlyArray<Diagnostic>,
  text: ReadonlyArray<string>
): string | undefined => {
  const line = below(text, expectation.line)
  const messages = diagnostics.filter((found) => found.line === line).map(({ message }) => message)
  if (messages.length === 0) return `line ${line} compiles, but must not`
  const words = expectation.words.replaceAll(/\s+/g, " ")
  if (messages.some((message) => message.replaceAll(/\s+/g, " ").includes(words))) return undefined
  return `line ${line} fails with other words.\n  expected: ${words}\n  found:    ${messages.join("\n            ")}`
}

/** The line that a directive speaks about: the next one that is neither blank nor a comment. */
const below = (text: ReadonlyArray<string>, line: number): number => {
  const offset = text.slice(line).findIndex((candidate) => !/^\s*(\/\/.*)?$/.test(candidate))
  return line + offset + 1
}
