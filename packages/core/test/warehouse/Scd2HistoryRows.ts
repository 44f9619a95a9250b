/** The table of histories as rows: what lands in the log of what is said, and what the dimension must show in the end. */
import type { History } from "./Scd2HistoryCases.ts"
import { event, type Event } from "./World.ts"

/**
 * The lines as rows of the log, each key marked so that copies of one history can stand in one table. A line's place in
 * the table is its version and its sequence.
 */
export const rowsOf = ({ said }: History, mark: string): ReadonlyArray<Event> =>
  said.map(([id, key, at, segment = null, price = "1", email = null, channel = null], index) => {
    const row = event(`${mark}${id}`, { line: index + 1, isDeleted: key === undefined, note: segment, amount: price })
    return {
      ...row,
      ...keyOf(key ?? "", mark),
      kind: email ?? "-",
      at: instant(at ?? "01"),
      extra: channel === null ? null : { channel }
    }
  })

/** The texts of the versions in the columns of `shown`, in the order of their keys and windows. */
export const versionsOf = ({ versions }: History, mark: string): ReadonlyArray<ReadonlyArray<string | null>> =>
  versions.map(([key, from, to, segment, price = "1", email = null, channel = null]) => {
    const { branch, region } = keyOf(key, mark)
    const window = [instant(from), to === null ? null : instant(to)]
    const cents = price === null ? null : `${price}.00`
    return [region, String(branch), ...window, segment, cents, email, channel, String(to === null)]
  })

export const shown = [
  "region",
  "branch",
  "valid_from",
  "valid_to",
  "segment",
  "price",
  "email",
  "channel",
  "is_current"
] as const

// --- internal ---

/** A key is a region, or a region and a branch behind a blank. */
const keyOf = (key: string, mark: string): Pick<Event, "region" | "branch"> => {
  const [region = "", branch = "1"] = key.split(" ")
  return { region: mark + region, branch: Number(branch) }
}

/** A day of January 2024, a time on one, or any instant. */
const instant = (at: string): string =>
  `${/^\d{4}-/.test(at) ? "" : "2024-01-"}${at.length === 2 ? `${at}T00:00:00.000000` : at}Z`
