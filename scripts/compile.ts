/**
 * What does the compiler say? Runs `tsc` on one project and returns its diagnostics as data.
 */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"

/** One complaint of the compiler. */
export interface Diagnostic {
  /** Absolute path. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  /** On one line, with the explanations that the compiler indents below it. */
  readonly message: string
}

/** Type checks the project in `folder` without emitting anything. */
export const compile = (folder: string): ReadonlyArray<Diagnostic> => {
  const tsc = Path.resolve("node_modules/typescript/bin/tsc")
  const { stdout, stderr, status } = ChildProcess.spawnSync(
    process.execPath,
    [tsc, "-p", folder, "--noEmit", "--pretty", "false"],
    { encoding: "utf8", maxBuffer: 1 << 26 }
  )
  const diagnostics = parse(stdout)
  if (status !== 0 && diagnostics.length === 0) throw new Error(`tsc -p ${folder} failed:\n${stdout}${stderr}`)
  return diagnostics
}

const parse = (output: string): ReadonlyArray<Diagnostic> =>
  output
    .replaceAll(/\n\s+/g, " ")
    .split("\n")
    .flatMap((text) => {
      const [match, file = "", line, column, code = "", message = ""] =
        /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(text) ?? []
      if (match === undefined) return []
      return [{ file: Path.resolve(file), line: Number(line), column: Number(column), code, message }]
    })
