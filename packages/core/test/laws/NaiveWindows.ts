/**
 * Windows of time as somebody finds them who looks at a clock on the wall every quarter of an hour and writes down when a
 * window opens. It shares nothing with the engine but the meaning of the words.
 */

/** A schedule as it reads on the wall: at which times of which days a window opens. */
export interface Schedule {
  readonly timeZone: string
  /** Whether the ticks come every hour: then each time at which the clock shows one opens a window. */
  readonly isRunning: boolean
  /** In minutes after midnight. */
  readonly times: ReadonlyArray<number>
  readonly isDay: (day: Day) => boolean
  /** Days without windows; a window that is open ends when they begin. */
  readonly isExcluded?: (day: Day) => boolean
  /** The time of day, in minutes, at which the rows of a date happen. */
  readonly dateAt: number
}

export interface Day {
  readonly date: string
  readonly weekday: number
  readonly dayOfMonth: number
}

export interface Window {
  readonly start: number
  readonly end: number
}

const quarter = 900_000

/** What the wall shows: a day and the minutes after its midnight, as one number that grows with both. */
interface Shown {
  readonly at: number
  readonly wall: number
}

/** The wall of a zone, every quarter of an hour from one UTC date to another. */
const look = (timeZone: string, from: string, until: string): ReadonlyArray<Shown> => {
  const known = looks.get(`${timeZone} ${from} ${until}`)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric"
  })
  const found: Array<Shown> = []
  for (let at = Date.parse(from); at < Date.parse(until); at += quarter) {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? Number.NaN
    found.push({
      at,
      wall: Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"))
    })
  }
  looks.set(`${timeZone} ${from} ${until}`, found)
  return found
}

const looks = new Map<string, ReadonlyArray<Shown>>()

const dayOf = (wall: number): Day => {
  const date = new Date(wall)
  return { date: date.toISOString().slice(0, 10), weekday: date.getUTCDay(), dayOfMonth: date.getUTCDate() }
}

/** The windows that open and end while somebody looks. */
export const windows = (schedule: Schedule, from: string, until: string): ReadonlyArray<Window> => {
  const { isDay, isExcluded = () => false, isRunning, times, timeZone } = schedule
  const minutes = (wall: number) => Math.floor(wall / 60_000) % 1440
  const isTick = (wall: number) => times.includes(minutes(wall)) && isDay(dayOf(wall))
  const opened: Array<{ readonly start: number; readonly isOpen: boolean }> = []
  let shown = Number.NEGATIVE_INFINITY
  for (const { at, wall } of look(timeZone, from, until)) {
    // A running schedule counts every showing; one that names hours the first, or when the clock goes on behind it.
    const ticks: Array<number> = []
    if (isRunning) {
      if (isTick(wall)) ticks.push(wall)
    } else {
      const first = Number.isFinite(shown) ? shown + quarter : wall
      for (let tick = first; tick <= wall; tick += quarter) if (isTick(tick)) ticks.push(tick)
    }
    const last = ticks.at(-1)
    if (last !== undefined) opened.push({ start: at, isOpen: !isExcluded(dayOf(last)) })
    shown = Math.max(shown, wall)
  }
  return opened.slice(0, -1).flatMap(({ isOpen, start }, index) => {
    const end = opened[index + 1]?.start ?? start
    return isOpen ? [{ start, end }] : []
  })
}

/** When the wall first shows a date, or what comes after it. */
export const instantOf = (schedule: Schedule, date: string, from: string, until: string): number => {
  const wall = Date.parse(date) + schedule.dateAt * 60_000
  const name = `${schedule.timeZone} ${wall} ${from}`
  const known = instants.get(name) ?? look(schedule.timeZone, from, until).find((shown) => shown.wall >= wall)?.at
  if (known !== undefined) instants.set(name, known)
  return known ?? Number.NaN
}

const instants = new Map<string, number>()
