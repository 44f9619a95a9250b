/**
 * What a benchmark is asked for on the command line, and how it says that it cannot be done.
 */
import * as Fs from "node:fs"

/** Ends the process, as a mistake of the caller. */
export const refuse = (why: string): never => {
  console.error(why)
  process.exit(2)
}

/** A number of rows as people write it: `100k`, `10m`; 0 where it is none. */
export const rowsOf = (text: string): number => {
  const [, digits = "", unit = ""] = /^(\d+)([km]?)$/i.exec(text) ?? []
  return Number(digits) * (factors[unit.toLowerCase()] ?? 0)
}

/** Refuses a folder that has no room for so many bytes. */
export const requireRoom = (folder: string, options: { readonly rows: string; readonly needed: number }): void => {
  const { bavail, bsize } = Fs.statfsSync(folder)
  const gigabytes = (bytes: number) => Math.round(bytes / 1e9)
  if (bavail * bsize < options.needed)
    refuse(
      `${folder} has ${gigabytes(bavail * bsize)} GB left; ${options.rows} rows take about ${gigabytes(options.needed)}. Name another folder: --within`
    )
}

// --- internal ---

const factors: Readonly<Record<string, number>> = { "": 1, k: 1000, m: 1_000_000 }
