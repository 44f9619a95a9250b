/** Facts about windows and mappings, each a definition, a time and what follows: `cases/partitions.json`. */
import * as PartitionMapping from "@assay/core/PartitionMapping"
import * as PartitionReach from "@assay/core/PartitionReach"
import * as Partitions from "@assay/core/Partitions"
import * as PartitionSet from "@assay/core/PartitionSet"
import { TZDate } from "@date-fns/tz"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"

const Definition = Schema.Struct({
  cron: Schema.String,
  start: Schema.String,
  timezone: Schema.String,
  fmt: Schema.String,
  end: Schema.NullOr(Schema.String),
  endOffset: Schema.Int
})

const keysOf = Schema.Array(Schema.String)
const common = { id: Schema.String, note: Schema.optionalKey(Schema.String) }
const mapping = Schema.Struct({
  type: Schema.Literal("timeWindow"),
  startOffset: Schema.Int,
  endOffset: Schema.Int,
  allowNonexistentUpstream: Schema.optionalKey(Schema.Boolean)
})

const Case = Schema.Union([
  Schema.Struct({
    ...common,
    kind: Schema.Literal("timeWindow.keys"),
    definition: Definition,
    now: Schema.String,
    expected: keysOf
  }),
  Schema.Struct({
    ...common,
    kind: Schema.Literal("timeWindow.windows"),
    definition: Definition,
    now: Schema.String,
    expected: Schema.Array(Schema.Tuple([Schema.String, Schema.String]))
  }),
  Schema.Struct({
    ...common,
    kind: Schema.Literal("timeWindow.endDate"),
    definition: Definition,
    expected: Schema.Struct({ first: Schema.String, last: Schema.String, count: Schema.Int })
  }),
  Schema.Struct({
    ...common,
    kind: Schema.Literal("mapping.upstream"),
    downstream: Definition,
    upstream: Definition,
    downstreamKeys: keysOf,
    now: Schema.String,
    mapping,
    expected: keysOf,
    expectedRequiredButNonexistent: keysOf
  }),
  Schema.Struct({
    ...common,
    kind: Schema.Literal("mapping.downstream"),
    upstream: Definition,
    downstream: Definition,
    upstreamKeys: keysOf,
    now: Schema.String,
    mapping,
    expected: keysOf
  })
])

const cases = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Case)))(
  readFileSync(new URL("cases/partitions.json", import.meta.url), "utf8")
)

type Definition = typeof Definition.Type

/** An instant of a definition as its local time. */
const local = (text: string): string => text.slice(0, 16).replace("T", "-")

const ofDefinition = ({ cron, end, endOffset, start, timezone }: Definition): Partitions.TimeWindows =>
  Partitions.cron(cron, {
    start: cron.startsWith("0 0 ") && !/[,/]/.test(cron) ? start.slice(0, 10) : local(start),
    end: end === null ? undefined : cron.startsWith("0 0 ") ? end.slice(0, 10) : local(end),
    timeZone: timezone,
    endOffset
  })

const nowOf = (text: string, { timezone }: Definition): number => {
  if (/[+]\d\d:\d\d$/.test(text)) return Date.parse(text.replace(" ", "T"))
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = text.split(/[-:]/).map(Number)
  return new TZDate(year, month - 1, day, hour, minute, timezone).getTime()
}

/** The instant that a key of a case stands for: a local time, with its offset where it has one. */
const instantOf = (key: string, partitions: Partitions.TimeWindows): number => {
  const [, date = "", time = "", offset] =
    /^(\d{4}.\d{2}.\d{2})(?:[-_ ](\d{2}(?::\d{2})*))?([+-]\d{4})?$/.exec(key) ?? []
  const day = date.replaceAll("/", "-")
  const written = time === "" ? day : `${day}-${time.length === 2 ? `${time}:00` : time.slice(0, 5)}${offset ?? ""}`
  const endless = Partitions.endless(partitions)
  const names = [written, written.replace(/[+-]\d{4}$/, ""), `${day}-00:00`, day]
  const named = names.find((name) => Partitions.isKey(endless, name))
  const [window] = named === undefined ? [] : PartitionSet.windows(setOf(endless, [named]))
  if (window === undefined) throw new Error(`${key} is no window of ${Partitions.format(partitions)}`)
  return window.start
}

const setOf = (partitions: Partitions.TimeWindows, keys: Iterable<string>) =>
  Result.getOrThrow(PartitionSet.fromKeys(partitions, keys))

const startsOf = (set: PartitionSet.PartitionSet | undefined): ReadonlyArray<number> =>
  set === undefined ? [] : Array.from(PartitionSet.windows(set), ({ start }) => start)

const named = (keys: ReadonlyArray<string>, partitions: Partitions.TimeWindows) =>
  keys.map((key) => instantOf(key, partitions))

const selected = (keys: ReadonlyArray<string>, partitions: Partitions.TimeWindows) => {
  const endless = Partitions.endless(partitions)
  const starts = new Set(named(keys, partitions))
  return setOf(
    endless,
    Array.from(starts, (start) => Partitions.keyOf(endless, start))
  )
}

describe("partition cases", () => {
  it.each(cases.map((fact) => [`${fact.id} ${fact.kind} ${fact.note ?? ""}`, fact] as const))(
    "%s (Verifies: L7, L12)",
    (_, fact) => {
      switch (fact.kind) {
        case "timeWindow.keys": {
          const partitions = ofDefinition(fact.definition)
          const existing = Partitions.existing(partitions, nowOf(fact.now, fact.definition))
          assert.deepStrictEqual(startsOf(existing), named(fact.expected, partitions))
          assert.strictEqual(PartitionSet.size(existing), fact.expected.length)
          return
        }
        case "timeWindow.windows": {
          const partitions = ofDefinition(fact.definition)
          const existing = Partitions.existing(partitions, nowOf(fact.now, fact.definition))
          assert.deepStrictEqual(
            Array.from(PartitionSet.windows(existing)),
            fact.expected.map(([start, end]) => ({ start: Date.parse(start), end: Date.parse(end) }))
          )
          return
        }
        case "timeWindow.endDate": {
          const all = PartitionSet.all(ofDefinition(fact.definition))
          const keys = Array.from(PartitionSet.keys(all))
          const { count, first, last } = fact.expected
          assert.deepStrictEqual([keys.at(0), keys.at(-1), PartitionSet.size(all)], [first, last, count])
          return
        }
        case "mapping.upstream": {
          const upstream = ofDefinition(fact.upstream)
          const found = PartitionReach.requirement(PartitionMapping.timeWindows(fact.mapping), {
            downstream: selected(fact.downstreamKeys, ofDefinition(fact.downstream)),
            upstream,
            now: nowOf(fact.now, fact.downstream)
          })
          assert.deepStrictEqual(startsOf(found?.existing), named(fact.expected, upstream))
          // Whether a window may lack what does not exist is the policy's to say, not the mapping's.
          if (fact.mapping.allowNonexistentUpstream !== true) {
            assert.deepStrictEqual(startsOf(found?.absent), named(fact.expectedRequiredButNonexistent, upstream))
          }
          return
        }
        case "mapping.downstream": {
          const upstream = ofDefinition(fact.upstream)
          const downstream = ofDefinition(fact.downstream)
          const now = nowOf(fact.now, fact.downstream)
          const reached = PartitionReach.downstream(PartitionMapping.timeWindows(fact.mapping), {
            upstream: selected(fact.upstreamKeys, upstream),
            downstream
          })
          const existing = Partitions.existing(downstream, now)
          const found = reached === undefined ? undefined : PartitionSet.intersection(reached, existing)
          assert.deepStrictEqual(startsOf(found), named(fact.expected, downstream))
        }
      }
    }
  )
})
