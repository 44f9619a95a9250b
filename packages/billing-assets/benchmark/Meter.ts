/**
 * What does a piece of work cost? Its time, and what does not depend on who else is using the machine: processor time,
 * statements, touched pages, write-ahead log, memory.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Client from "./Client.ts"

/** What a piece of work cost; null where it cannot be told here. */
export interface Cost {
  readonly ms: number
  /** Processor time of this process and of the server's, in milliseconds. */
  readonly nodeMs: number
  readonly serverMs: number | null
  /** Bytes of write-ahead log, of the whole server. */
  readonly walBytes: number
  readonly statements: number | null
  /** Pages that were touched, in memory or not, of tables and of temporary tables. */
  readonly touches: number | null
  /** The most memory of this process, and the most private memory of all processes of the server, in MiB. */
  readonly nodeMb: number | null
  readonly serverMb: number | null
}

/** Measures work. */
export interface Meter {
  readonly measure: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<readonly [A, Cost], E, R>
}

/** A statement of a piece of work, and what all its calls cost. */
export interface Statement {
  readonly text: string
  readonly calls: number
  readonly ms: number
  readonly rows: number
  readonly touches: number
}

/**
 * A meter of a server's database. Statements and pages are counted where `pg_stat_statements` is loaded; `onProfile` is
 * then told which statements took longest, for which the server's counters are set back.
 */
export const make = Effect.fnUntraced(function* (
  url: string,
  onProfile?: (statements: ReadonlyArray<Statement>) => void
) {
  const client = yield* Client.connect(url, "assay-meter")
  const rowOf = <A>(text: string, row: Schema.ConstraintDecoder<A>) =>
    Effect.flatMap(client.unsafe(text).withoutTransform, (rows) =>
      Effect.orDie(Schema.decodeUnknownEffect(Schema.Tuple([row]))(rows))
    ).pipe(Effect.map(([row]) => row))
  const { isCounting } = yield* rowOf(
    `SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%' AS "isCounting"`,
    Schema.Struct({ isCounting: Schema.Boolean })
  )
  if (isCounting) yield* client.unsafe("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").raw
  const { pid } = yield* rowOf("SELECT pg_backend_pid() AS pid", Schema.Struct({ pid: Schema.Int }))
  const master = parentOf(pid)

  const counted = rowOf(isCounting ? counts : walOnly, Counts)
  const reading = Effect.map(counted, ({ statements, touches, wal }) => ({
    wal: Number(wal),
    statements: statements === null ? null : Number(statements),
    touches: touches === null ? null : Number(touches),
    serverMs: master === undefined ? null : processorMs(master)
  }))

  const profile = Effect.flatMap(client.unsafe(costliest).withoutTransform, decodeStatements)

  const measure: Meter["measure"] = (work) =>
    Effect.gen(function* () {
      // Pages that are dirty from before would be written, and logged whole, on the account of whoever comes next.
      yield* Effect.ignore(client.unsafe("CHECKPOINT").raw)
      if (isCounting && onProfile !== undefined)
        yield* Effect.orDie(client.unsafe("SELECT pg_stat_statements_reset()").raw)
      const before = yield* Effect.orDie(reading)
      const memory = watch(master)
      const processor = process.cpuUsage()
      const began = performance.now()
      const done = yield* Effect.onExit(work, () => Effect.sync(memory.stop))
      const ms = performance.now() - began
      const { system, user } = process.cpuUsage(processor)
      const after = yield* Effect.orDie(reading)
      const less = (key: "statements" | "touches" | "serverMs") => {
        const [a, b] = [after[key], before[key]]
        return a === null || b === null ? null : a - b
      }
      const cost: Cost = {
        ms,
        nodeMs: (user + system) / 1000,
        serverMs: less("serverMs"),
        walBytes: after.wal - before.wal,
        statements: less("statements"),
        touches: less("touches"),
        nodeMb: memory.nodeMb(),
        serverMb: memory.serverMb()
      }
      if (isCounting && onProfile !== undefined) onProfile(yield* Effect.orDie(profile))
      return [done, cost] as const
    })
  const meter: Meter = { measure }
  return meter
})

/** The cost that lies in the middle, each figure by itself. */
export const median = (costs: ReadonlyArray<Cost>): Cost => nth(costs, Math.floor((costs.length - 1) / 2))

/** The least cost, each figure by itself. */
export const least = (costs: ReadonlyArray<Cost>): Cost => nth(costs, 0)

/** Several pieces of work after each other. */
export const sum = (costs: ReadonlyArray<Cost>): Cost =>
  costs.reduce((all, cost) => ({
    ms: all.ms + cost.ms,
    nodeMs: all.nodeMs + cost.nodeMs,
    serverMs: plus(all.serverMs, cost.serverMs),
    walBytes: all.walBytes + cost.walBytes,
    statements: plus(all.statements, cost.statements),
    touches: plus(all.touches, cost.touches),
    nodeMb: most(all.nodeMb, cost.nodeMb),
    serverMb: most(all.serverMb, cost.serverMb)
  }))

// --- internal ---

const nth = (costs: ReadonlyArray<Cost>, place: number): Cost => {
  const figure = (key: keyof Cost): number | null =>
    costs.flatMap((cost) => cost[key] ?? []).toSorted((a, b) => a - b)[place] ?? null
  return {
    ms: figure("ms") ?? 0,
    nodeMs: figure("nodeMs") ?? 0,
    serverMs: figure("serverMs"),
    walBytes: figure("walBytes") ?? 0,
    statements: figure("statements"),
    touches: figure("touches"),
    nodeMb: figure("nodeMb"),
    serverMb: figure("serverMb")
  }
}

const plus = (a: number | null, b: number | null) => (a === null || b === null ? null : a + b)

const most = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.max(a, b))

const walOnly = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS wal,
  NULL::text AS statements, NULL::text AS touches`

/** The meter's own statements name it, and are left out. */
const counts = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS wal, sum(calls)::text AS statements,
  sum(shared_blks_hit + shared_blks_read + local_blks_hit + local_blks_read)::text AS touches
  FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' AND query <> 'CHECKPOINT'`

const costliest = `SELECT regexp_replace(query, '\\s+', ' ', 'g') AS text, calls::int, total_exec_time::float8 AS ms,
  rows::float8, (shared_blks_hit + shared_blks_read + local_blks_hit + local_blks_read)::float8 AS touches
  FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY total_exec_time DESC LIMIT 8`

const decodeStatements = Schema.decodeUnknownEffect(
  Schema.Array(
    Schema.Struct({
      text: Schema.String,
      calls: Schema.Int,
      ms: Schema.Finite,
      rows: Schema.Finite,
      touches: Schema.Finite
    })
  )
)

const Counts = Schema.Struct({
  wal: Schema.String,
  statements: Schema.NullOr(Schema.String),
  touches: Schema.NullOr(Schema.String)
})

const fileOf = (path: string): string | undefined => {
  try {
    return Fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** The fields of a process behind its name, which may hold anything. */
const fieldsOf = (pid: number): ReadonlyArray<string> => {
  const stat = fileOf(`/proc/${pid}/stat`) ?? ""
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

/** The server's first process, where the server runs here and the system tells. */
const parentOf = (pid: number): number | undefined => {
  if (!(fileOf(`/proc/${pid}/stat`) ?? "").includes("(postgres)")) return undefined
  const parent = Number(fieldsOf(pid)[1])
  return Number.isInteger(parent) && parent > 1 ? parent : undefined
}

const childrenOf = (pid: number): ReadonlyArray<number> =>
  (fileOf(`/proc/${pid}/task/${pid}/children`) ?? "")
    .split(" ")
    .filter((child) => child !== "")
    .map(Number)

const tickMs = 10

/** Of the processes that run, and of those that have ended. */
const processorMs = (master: number): number => {
  const own = (pid: number, places: ReadonlyArray<number>) => {
    const fields = fieldsOf(pid)
    return places.reduce((ticks, place) => ticks + Number(fields[place] ?? 0), 0)
  }
  return (
    [master, ...childrenOf(master)].reduce(
      (ticks, pid) => ticks + own(pid, pid === master ? [11, 12, 13, 14] : [11, 12]),
      0
    ) * tickMs
  )
}

const statusMb = (pid: number | "self", field: string): number | undefined => {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(fileOf(`/proc/${pid}/status`) ?? "")
  return found === null ? undefined : Number(found[1]) / 1024
}

/** Watches memory until it is stopped. This process's peak is counted anew by the system, where it lets us. */
const watch = (master: number | undefined) => {
  try {
    Fs.writeFileSync("/proc/self/clear_refs", "5")
  } catch {
    // The peak is then that of the whole process so far.
  }
  let server = 0
  const look = () => {
    if (master === undefined) return
    server = Math.max(
      server,
      childrenOf(master).reduce((mb, pid) => mb + (statusMb(pid, "RssAnon") ?? 0), 0)
    )
  }
  const timer = setInterval(look, 50)
  return {
    stop: () => {
      look()
      clearInterval(timer)
    },
    nodeMb: () => statusMb("self", "VmHWM") ?? process.resourceUsage().maxRSS / 1024,
    serverMb: () => (master === undefined ? null : server)
  }
}
