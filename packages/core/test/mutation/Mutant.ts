/**
 * A deliberate fault of the engine: a piece of its source that is exchanged while the tests are compiled, so production
 * code knows nothing of it. A mutant that no law test notices is a hole in the net.
 */
import * as Schema from "effect/Schema"
import * as Path from "node:path"

export interface Mutant {
  readonly name: string
  readonly laws: ReadonlyArray<`L${number}`>
  /** What goes wrong with it, and in whose eyes. */
  readonly because: string
  readonly edits: ReadonlyArray<Edit>
  readonly net: Net
}

export interface Edit {
  /** Below the root of the repository. */
  readonly file: string
  /** An exact piece of the file that occurs in it once. */
  readonly find: string
  readonly replace: string
}

/** The tests that are to notice: the ones of these files whose full names match. */
export interface Net {
  readonly files: ReadonlyArray<string>
  readonly tests: RegExp
}

/** The root of the repository. */
export const root = Path.resolve(import.meta.dirname, "../../../..")

/** The environment variable that names the mutant of a child run. */
export const variable = "MUTANT"

/** The environment of a child run, by which the processes that its tests start have the mutant as well. */
export const environment = (mutant: Mutant): { readonly [name: string]: string } => ({
  NODE_OPTIONS: `--import=${import.meta.dirname}/hook.ts`,
  [inheritedVariable]: JSON.stringify(mutant)
})

/** The mutant that the environment describes. */
export const inherited = (): Inherited | undefined => {
  const text = process.env[inheritedVariable]
  return text === undefined ? undefined : decode(text)
}

/** Whether a mutant edits the source file at a path. */
export const isEdited = (mutant: Inherited, path: string): boolean => editsOf(mutant, path).length > 0

/** A source file with the mutant's edits of it; undefined where it has none. Throws where a snippet is not there once. */
export const mutate = (mutant: Inherited, path: string, source: string): string | undefined =>
  isEdited(mutant, path)
    ? editsOf(mutant, path).reduce((text, edit) => exchange(mutant, edit, text), source)
    : undefined

// --- internal ---

type Inherited = Pick<Mutant, "name" | "because" | "edits">

const inheritedVariable = "MUTANT_INHERITED"

const decode = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({
      name: Schema.String,
      because: Schema.String,
      edits: Schema.Array(Schema.Struct({ file: Schema.String, find: Schema.String, replace: Schema.String }))
    })
  )
)

const editsOf = ({ edits }: Inherited, path: string): ReadonlyArray<Edit> =>
  edits.filter(({ file }) => Path.join(root, file) === path)

const exchange = (mutant: Inherited, { file, find, replace }: Edit, source: string): string => {
  const [before, after, ...more] = source.split(find)
  if (before !== undefined && after !== undefined && more.length === 0) return before + replace + after
  throw new Error(
    `the mutant "${mutant.name}" misses its aim: its snippet occurs ${source.split(find).length - 1} times in ${file}, ` +
      `not once. The code has moved: find the mechanism again (${mutant.because}) and quote a piece of it that occurs ` +
      `once; drop the mutant only where the mechanism is gone. The snippet was:\n${find}`
  )
}
