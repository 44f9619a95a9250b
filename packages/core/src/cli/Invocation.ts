/**
 * How did the user start the program? What hints say has to work where it is read: for somebody who runs a script of a
 * package by its package manager, for somebody who has none and runs it by `npx`, and for a file that Node runs.
 */

/**
 * What the process knows of how it was started.
 *
 * @category models
 * @since 0.1.0
 */
export interface Invocation {
  /** The package manager that runs a script of a package, as it calls itself: `pnpm/12.21.0 npm/? node/? linux x64`. */
  readonly script:
    | {
        readonly userAgent: string
        /** The file of the package manager. */
        readonly execPath: string
        /** The scripts of the package. */
        readonly scripts: ReadonlyArray<string>
      }
    | undefined
  /** The file that Node runs. */
  readonly program: string
  /** Where the user is. */
  readonly directory: string
}

/**
 * How the user calls an application of this name.
 *
 * @category conversions
 * @since 0.1.0
 */
export const call = ({ directory, program, script }: Invocation, name: string): string => {
  const manager = script === undefined ? undefined : managerOf(script)
  if (manager !== undefined && script?.scripts.includes(name) === true)
    return manager === "npm" ? `npm run ${name} --` : `${manager} ${name}`
  const path = program.replaceAll("\\", "/")
  if (path.includes("/node_modules/")) return `npx ${name}`
  const shown = path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path
  return `node ${/^[\w./:@+-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`}`
}

// --- internal ---

/** A package manager that `npx` has fetched is not there to be called by its name. */
const managerOf = ({ execPath, userAgent }: NonNullable<Invocation["script"]>): string | undefined => {
  const [, manager, major] = /^(pnpm|npm|yarn|bun)\/(\d+)/.exec(userAgent) ?? []
  if (manager === undefined) return undefined
  return /[/\\]_npx[/\\]/.test(execPath) ? `npx -y ${manager}@${major}` : manager
}
