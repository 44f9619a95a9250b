/**
 * Does every name say one thing? Fails on names that hide their noun (`utils`, `Manager`, `Impl`), on words that mean
 * two things in this trade, on SQL that asks the database for the time, and on tests that are focused or skipped.
 *
 * Usage: node scripts/words.ts [root of the repository]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"

interface Rule {
  readonly subject: "file" | "type" | "value" | "text" | "test"
  readonly pattern: RegExp
  readonly advice: string
}

const oneNoun = "name it after the noun that it is about; the namespace says the rest"

const rules: ReadonlyArray<Rule> = [
  { subject: "file", pattern: /^(utils?|helpers?|common|misc|shared|types|errors|constants)$/i, advice: oneNoun },
  { subject: "file", pattern: /(Manager|Helpers?|Utils?|Impl|Live|Base)$/, advice: oneNoun },
  { subject: "type", pattern: /(Manager|Helpers?|Utils?|Impl|Live|Base|Data|Info)$/, advice: oneNoun },
  { subject: "type", pattern: /^I[A-Z][a-z]/, advice: "an interface carries the plain noun, without I" },
  { subject: "value", pattern: /^(?!is[A-Z]|has[A-Z]).*(Manager|Helpers?|Utils?|Impl|Live)$/, advice: oneNoun },
  {
    subject: "type",
    pattern: /^Snapshot$/,
    advice: "say TableSnapshot for a restore point; snapshot alone means four things"
  },
  {
    subject: "value",
    pattern: /^snapshot$/,
    advice: "say tableSnapshot for a restore point; snapshot alone means four things"
  },
  { subject: "type", pattern: /Medallion/, advice: "the medallion layer is Tier in code" },
  { subject: "value", pattern: /medallion/i, advice: "the medallion layer is tier in code" },
  {
    subject: "type",
    pattern: /^Job|Job$/,
    advice: "an execution of a plan is a Run, its part a Step, one try an Attempt"
  },
  {
    subject: "value",
    pattern: /^job|Job$/,
    advice: "an execution of a plan is a run, its part a step, one try an attempt"
  },
  {
    subject: "value",
    pattern: /restate|reprocess/i,
    advice: "chosen past partitions are a backfill; one again is rematerialize"
  },
  {
    subject: "text",
    pattern:
      /(?<![.\w])(now|clock_timestamp|statement_timestamp|transaction_timestamp)\(\s*\)|\bCURRENT_(DATE|TIME|TIMESTAMP)\b/,
    advice: "time comes in as a parameter, so that a decision can be repeated"
  },
  { subject: "text", pattern: /\bBETWEEN\s+\$\{/, advice: "windows are half-open: >= start AND < end" },
  {
    subject: "test",
    pattern: /\b(it|test|describe|layer)(\.\w+)*\.(only|skip|todo|fails)(?=\()/,
    advice: "every test runs, alone or with the others"
  }
]

/** Every name or phrase under a repository root that breaks a rule, as sentences. */
export const findings = (root: string): ReadonlyArray<string> => [
  ...files(root, "packages/*/src/**/*.{ts,tsx}").flatMap((file) => [
    ...check("file", Path.basename(file).replace(/\.tsx?$/, ""), file, 1),
    ...declarations(root, file).flatMap(({ kind, name, line }) => check(kind, name, file, line)),
    ...lines(root, file).flatMap((line, index) => check("text", line, file, index + 1))
  ]),
  ...files(root, "{packages/*/{src,test},scripts}/**/*.test.ts").flatMap((file) =>
    lines(root, file).flatMap((line, index) => check("test", line, file, index + 1))
  )
]

const files = (root: string, pattern: string): ReadonlyArray<string> => Fs.globSync(pattern, { cwd: root }).toSorted()

const check = (subject: Rule["subject"], words: string, file: string, line: number): ReadonlyArray<string> =>
  rules.flatMap((rule) => {
    const match = rule.subject === subject ? rule.pattern.exec(words) : null
    if (match === null) return []
    const what = subject === "text" || subject === "test" ? match[0] : words
    return [`${file}:${line} "${what}": ${rule.advice}`]
  })

const lines = (root: string, file: string): ReadonlyArray<string> =>
  Fs.readFileSync(Path.join(root, file), "utf8")
    .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .split("\n")

const declarations = (root: string, file: string) =>
  lines(root, file).flatMap((line, index) =>
    [...line.matchAll(/\b(class|interface|type|enum|const|let|function)\s+([A-Za-z_$][\w$]*)/g)].map(
      ([, keyword = "", name = ""]) => ({
        kind: ["const", "let", "function"].includes(keyword) ? ("value" as const) : ("type" as const),
        name,
        line: index + 1
      })
    )
  )

if (import.meta.main) {
  const found = findings(Path.resolve(process.argv[2] ?? "."))
  for (const finding of found) console.error(finding)
  console.log(found.length === 0 ? "words: every name says one thing" : `words: ${found.length} names to change`)
  process.exitCode = found.length === 0 ? 0 : 1
}
