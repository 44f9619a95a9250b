import { toDate } from "date-fns/toDate"
import * as Cron from "effect/Cron"
import * as Result from "effect/Result"

/**
 * The ticks of a local clock that open windows, as wall time: days that match, and on each of them the same times of day.
 * Wall time knows no zone and no change of clocks, so that counting and looking up are plain arithmetic here.
 */
export interface WallGrid {
  /** Whether a tick is wherever the clock shows it: twice in a repeated hour, never in a skipped one. */
  readonly isRunning: boolean
  /** The times of day, in milliseconds from midnight, sorted. */
  readonly times: ReadonlyArray<number>
  readonly days: Days
  /** Which days match, as data. */
  readonly rule: DayRule
  /** Which of them are left out all the same. */
  readonly exclusions: ReadonlyArray<DayRule>
}

/** Which days match: a date, or what an expression says of days. Empty lists ask for nothing. */
export type DayRule =
  | { readonly _tag: "Date"; readonly day: number }
  | {
      readonly _tag: "Fields"
      readonly daysOfMonth: ReadonlyArray<number>
      readonly months: ReadonlyArray<number>
      /** From Sunday (0) to Saturday (6). */
      readonly weekdays: ReadonlyArray<number>
      /** Whether a day of the month must be a day of the week too; otherwise either is enough. */
      readonly needsBoth: boolean
    }

/** Which days match, as numbers of days since 1970: the n-th of them, and how many lie before a day. */
interface Days {
  /** The last day that matches, up to and with `day`. */
  readonly floor: (day: number) => number
  /** The first day after `day` that matches. */
  readonly next: (day: number) => number
  /** How many days match before `day`, counted from 1970 (negative before). */
  readonly rank: (day: number) => number
  /** The inverse of `rank` on days that match. */
  readonly at: (rank: number) => number
  /** The most days from one that matches to the next, as far as anybody's data reaches (1890 to 2110). */
  readonly longestGap: () => number
  /** The days that match in these years. */
  readonly list: () => ReadonlyArray<number>
  /** Whether no day of 28 years matches, after which days of the week and of the year go together as before. */
  readonly isEmpty: () => boolean
}

const minute = 60_000
const dayLength = 86_400_000

/** The ticks of a cron expression of five fields, without the days that are excluded, or what is wrong with either. */
export const make = (cron: string, exclusions: ReadonlyArray<string>): Result.Result<WallGrid, Problem> =>
  Result.gen(function* () {
    const fields = yield* parse(cron)
    const excluded = yield* Result.all(exclusions.map(parseExclusion))
    const rule = ruleOf(fields, cron)
    const isEveryDay = asksNothing(rule) && excluded.length === 0
    const days = isEveryDay
      ? everyDay
      : someDays((day) => matches(rule, day) && !excluded.some((exclusion) => matches(exclusion, day)))
    if (days.isEmpty()) {
      return yield* Result.fail<Problem>({
        text: exclusions.length === 0 ? cron : exclusions.join(),
        problem: exclusions.length === 0 ? "never happens" : "leave no day",
        expected: "a schedule that has a day in every 28 years"
      })
    }
    const hours = fields.hours.size === 0 ? hoursOfDay : sorted(fields.hours)
    const minutes = fields.minutes.size === 0 ? minutesOfHour : sorted(fields.minutes)
    return {
      isRunning: hours.length === hoursOfDay.length,
      times: hours.flatMap((hour) => minutes.map((past) => (hour * 60 + past) * minute)),
      days,
      rule,
      exclusions: excluded
    }
  })

/** What is wrong with a text of a definition. */
export interface Problem {
  readonly text: string
  readonly problem: string
  readonly expected: string
}

/** Whether a day has at most one tick, so that its date alone names the window. */
export const isNamedByDate = (self: WallGrid): boolean => !self.isRunning && self.times.length === 1

/** What a tick is called: by its date where no day has two, and otherwise by its date and time. */
export const nameOf = (self: WallGrid, tick: number): string => {
  const text = toDate(tick).toISOString()
  return isNamedByDate(self) ? text.slice(0, 10) : `${text.slice(0, 10)}-${text.slice(11, 16)}`
}

/** The last tick up to and with a wall time. */
export const floor = (self: WallGrid, wall: number): number => {
  const today = Math.floor(wall / dayLength)
  const day = self.days.floor(today)
  const index = day < today ? self.times.length - 1 : lastUpTo(self.times, wall - day * dayLength)
  return index >= 0
    ? day * dayLength + timeAt(self, index)
    : self.days.floor(today - 1) * dayLength + timeAt(self, self.times.length - 1)
}

/** The first tick after a wall time. */
export const next = (self: WallGrid, wall: number): number => {
  const today = Math.floor(wall / dayLength)
  const day = self.days.floor(today)
  const index = day < today ? self.times.length : lastUpTo(self.times, wall - day * dayLength) + 1
  return index < self.times.length
    ? day * dayLength + timeAt(self, index)
    : self.days.next(today) * dayLength + timeAt(self, 0)
}

/** How many ticks lie before a wall time, counted from 1970 (negative before). */
export const rank = (self: WallGrid, wall: number): number => {
  const today = Math.floor(wall / dayLength)
  const before = self.days.rank(today) * self.times.length
  return self.days.floor(today) === today ? before + lastUpTo(self.times, wall - today * dayLength - 1) + 1 : before
}

/** The tick of a rank. */
export const at = (self: WallGrid, rank: number): number => {
  const day = Math.floor(rank / self.times.length)
  return self.days.at(day) * dayLength + timeAt(self, rank - day * self.times.length)
}

// --- internal ---

const hoursOfDay = Array.from({ length: 24 }, (_, hour) => hour)
const minutesOfHour = Array.from({ length: 60 }, (_, past) => past)

const sorted = (numbers: Iterable<number>): ReadonlyArray<number> =>
  Array.from(numbers).toSorted((left, right) => left - right)

const timeAt = (self: WallGrid, index: number): number => self.times[index]

/** The index of the last number up to and with `most`, -1 when all are greater. */
const lastUpTo = (numbers: ReadonlyArray<number>, most: number): number => {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle] <= most) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  return low - 1
}

const fieldsOf = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/)

const parse = (text: string): Result.Result<Cron.Cron, Problem> => {
  const wrong = (problem: string) =>
    Result.fail({
      text,
      problem,
      expected: "five fields: minute hour day-of-month month day-of-week, such as 0 6 * * 1-5"
    })
  return fieldsOf(text).length === 5
    ? Result.orElse(Cron.parse(text), ({ message }) => wrong(message))
    : wrong("has not five fields")
}

const parseExclusion = (text: string): Result.Result<DayRule, Problem> => {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const day = toDate(`${text}T00:00Z`).getTime() / dayLength
    return Number.isInteger(day) && isoDate(day) === text
      ? Result.succeed({ _tag: "Date", day })
      : Result.fail({ text, problem: "is no date of the calendar", expected: "a date YYYY-MM-DD" })
  }
  return Result.flatMap(parse(text), (fields) =>
    isWholeDay(fields)
      ? Result.succeed(ruleOf(fields, text))
      : Result.fail({
          text,
          problem: "names a time of day",
          expected: "whole days: 0 0 in front, such as 0 0 * * 6,0 for weekends"
        })
  )
}

const isWholeDay = ({ hours, minutes }: Cron.Cron): boolean =>
  [hours, minutes].every((field) => field.size === 0 || (field.size === 1 && field.has(0)))

const isoDate = (day: number): string =>
  toDate(day * dayLength)
    .toISOString()
    .slice(0, 10)

/**
 * Where days of the month and of the week are both named, either is enough, as cron has always had it; where one of them is
 * a wildcard with steps, both must match.
 */
const ruleOf = ({ days, months, weekdays }: Cron.Cron, text: string): DayRule => ({
  _tag: "Fields",
  daysOfMonth: sorted(days),
  months: sorted(months),
  weekdays: sorted(weekdays),
  needsBoth: [fieldsOf(text)[2], fieldsOf(text)[4]].some((field) => field.startsWith("*"))
})

const asksNothing = (rule: DayRule): boolean =>
  rule._tag === "Fields" && rule.daysOfMonth.length === 0 && rule.months.length === 0 && rule.weekdays.length === 0

const matches = (rule: DayRule, day: number): boolean => {
  if (rule._tag === "Date") return rule.day === day
  const date = toDate(day * dayLength)
  if (rule.months.length > 0 && !rule.months.includes(date.getUTCMonth() + 1)) return false
  const isDay = rule.daysOfMonth.length === 0 || rule.daysOfMonth.includes(date.getUTCDate())
  const isWeekday = rule.weekdays.length === 0 || rule.weekdays.includes(date.getUTCDay())
  return rule.needsBoth ? isDay && isWeekday : isDay || isWeekday
}

const everyDay: Days = {
  floor: (day) => day,
  next: (day) => day + 1,
  rank: (day) => day,
  at: (rank) => rank,
  longestGap: () => 1,
  list: () => [],
  isEmpty: () => false
}

/** The days that match in one year, and how many match from 1970 up to it. */
interface Year {
  readonly days: ReadonlyArray<number>
  readonly before: number
}

// A year is looked at once: 366 questions, answered from then on by bisecting at most 366 numbers.
const someDays = (matches: (day: number) => boolean): Days => {
  const inYear = memoize((year: number): ReadonlyArray<number> => {
    const first = firstDay(year)
    return Array.from({ length: firstDay(year + 1) - first }, (_, index) => first + index).filter(matches)
  })
  const years = new Map<number, Year>([[1970, { days: inYear(1970), before: 0 }]])
  let [earliest, latest] = [1970, 1970]
  const known = (year: number): Year => years.get(year) ?? { days: [], before: 0 }
  const yearAt = (year: number): Year => {
    while (latest < year) {
      const { before, days } = known(latest)
      latest += 1
      years.set(latest, { days: inYear(latest), before: before + days.length })
    }
    while (earliest > year) {
      const { before } = known(earliest)
      earliest -= 1
      const days = inYear(earliest)
      years.set(earliest, { days, before: before - days.length })
    }
    return known(year)
  }
  const list = () => Array.from({ length: 220 }, (_, index) => 1890 + index).flatMap(inYear)
  return {
    floor: (day) => {
      for (let year = yearOf(day); ; year--) {
        const days = inYear(year)
        const index = lastUpTo(days, day)
        if (index >= 0) return days[index]
      }
    },
    next: (day) => {
      for (let year = yearOf(day); ; year++) {
        const days = inYear(year)
        const index = lastUpTo(days, day) + 1
        if (index < days.length) return days[index]
      }
    },
    rank: (day) => {
      const { before, days } = yearAt(yearOf(day))
      return before + lastUpTo(days, day - 1) + 1
    },
    at: (rank) => {
      let year = 1970
      while (yearAt(year).before > rank) year -= 1
      while (yearAt(year).before + yearAt(year).days.length <= rank) year += 1
      const { before, days } = yearAt(year)
      return days[rank - before]
    },
    longestGap: () => list().reduce((most, day, index, days) => Math.max(most, day - (days[index - 1] ?? day)), 0),
    list,
    isEmpty: () => Array.from({ length: 28 }, (_, index) => 2000 + index).every((year) => inYear(year).length === 0)
  }
}

const yearOf = (day: number): number => toDate(day * dayLength).getUTCFullYear()

const firstDay = memoize(
  (year: number): number => toDate(`${String(year).padStart(4, "0")}-01-01T00:00Z`).getTime() / dayLength
)

function memoize<A>(f: (year: number) => A): (year: number) => A {
  const known = new Map<number, A>()
  return (year) => {
    let value = known.get(year)
    if (value === undefined) {
      known.set(year, (value = f(year)))
    }
    return value
  }
}
