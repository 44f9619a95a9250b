/**
 * Several processes at work on one environment: started together, replaced when they die, asked to end when enough was
 * done. Nothing here waits for a time; what a crew must not do is stand still.
 */
import { PgClient } from "@effect/sql-pg"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Readline from "node:readline"
import type * as Prng from "../oracle/Prng.ts"
import { Instructions, Message } from "./Instructions.ts"

/** A place in the crew: what its process is told, and after how many fault points each of its lives ends by itself. */
export interface Post extends Pick<
  Instructions,
  "role" | "only" | "stepSize" | "pool" | "concurrency" | "connections"
> {
  readonly name: string
  /** Where it is not the one that the crew was given. */
  readonly environment?: string
  /** Anything, where it is not said. */
  readonly asks?: Instructions["asks"]
  readonly lives: ReadonlyArray<number>
}

/** What a crew has done so far. */
export interface Tally {
  readonly runs: number
  readonly steps: number
  readonly rows: number
  readonly deliveries: number
  readonly killed: number
  readonly retries: ReadonlyArray<string>
  /** Runs that did not succeed, with what they were for and what they said. */
  readonly failures: ReadonlyArray<string>
  readonly seconds: number
}

/** What a crew needs to work. */
export interface Options {
  /** The program of each process. */
  readonly program: string
  readonly posts: ReadonlyArray<Post>
  readonly given: Pick<Instructions, "url" | "environment" | "folder" | "ahead">
  readonly random: Prng.Prng
  readonly compileCache: string
  /** After every so many steps one process is killed, wherever it is. */
  readonly killEvery: number
  readonly isEnough: (tally: Tally) => boolean
}

/** Lets a crew work until it has done enough. Dies where a process ends by itself, or where nothing moves for five minutes. */
export const work = Effect.fnUntraced(function* (options: Options) {
  const { isEnough, killEvery, posts, random } = options
  const began = yield* Clock.currentTimeMillis
  const tally: Growing = {
    runs: 0,
    steps: 0,
    rows: 0,
    deliveries: 0,
    killed: 0,
    retries: [],
    failures: [],
    seconds: 0
  }
  const crew = new Map<string, Member>()
  const shift = { isOver: false, lastWord: began }

  const dismiss = (): void => {
    shift.isOver = true
    for (const member of crew.values()) member.dismiss()
  }

  const count = (post: Post, message: Message): void => {
    switch (message._tag) {
      case "Ready":
        return
      case "Delivered":
        tally.deliveries += 1
        return
      case "Retrying":
        tally.retries.push(`${message.asset}: ${message.message}`)
        return
      case "Done":
        tally.runs += 1
        for (const error of message.errors) tally.failures.push(`${post.name}, ${message.request}: ${error}`)
        return
      case "Step": {
        tally.steps += 1
        tally.rows += message.rows
        if (tally.steps % killEvery === 0) Array.from(crew.values())[random.below(crew.size)]?.kill()
      }
    }
  }

  const hear = (post: Post, message: Message): void => {
    shift.lastWord = Date.now()
    count(post, message)
    if (!shift.isOver && isEnough(tally)) dismiss()
  }

  const man = Effect.fnUntraced(function* (post: Post, begin: Effect.Effect<void>) {
    let delivery = 1
    for (let life = 0; life === 0 || !shift.isOver; life++) {
      const member = yield* recruit(options, post, { life, delivery }, (message) => {
        if (message._tag === "Delivered") delivery = message.delivery + 1
        hear(post, message)
      })
      yield* member.ready
      crew.set(post.name, member)
      if (life === 0) yield* begin
      member.go()
      if (shift.isOver) member.dismiss()
      const { complaints, end } = yield* member.ended
      crew.delete(post.name)
      if (end === "SIGKILL") tally.killed += 1
      else if (end !== 0 || !shift.isOver || complaints !== "")
        return yield* Effect.die(new Error(`${post.name} ended with ${end}: ${complaints}`))
    }
  })

  // All are ready before the first one goes.
  let waiting = posts.length
  const all = Promise.withResolvers<void>()
  const begin = Effect.suspend(() => {
    waiting -= 1
    if (waiting === 0) all.resolve()
    return Effect.promise(() => all.promise)
  })
  const standstill = Effect.sync(() => Date.now() - shift.lastWord > 300_000).pipe(
    Effect.repeat({ until: (isStill) => isStill, schedule: Schedule.spaced(Duration.seconds(1)) }),
    Effect.andThen(waits),
    Effect.flatMap((held) => Effect.die(new Error(`nothing moved for five minutes; held: ${JSON.stringify(held)}`)))
  )
  yield* Effect.raceFirst(
    Effect.forEach(posts, (post) => Effect.scoped(man(post, begin)), { concurrency: "unbounded", discard: true }),
    standstill
  )
  tally.seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  return tally satisfies Tally
})

/** Who waits for which lock at this moment. */
export const waits = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  return yield* sql<{ readonly waiter: string; readonly locktype: string; readonly query: string }>`
    SELECT application_name AS waiter, locktype, left(query, 80) AS query
    FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`
})

/** How many deadlocks the server had to end in the database at hand. */
export const deadlocks = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient
  const [row] = yield* sql<{ readonly deadlocks: number }>`
    SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()`
  return row?.deadlocks ?? 0
})

/** What a crew did, in a line to print. */
export const describe = (tally: Tally): string => {
  const rate = (count: number) => Math.round(count / tally.seconds)
  return (
    `${tally.runs} runs, ${tally.steps} steps (${rate(tally.steps)}/s), ${tally.rows} rows (${rate(tally.rows)}/s), ` +
    `${tally.deliveries} deliveries, ${tally.killed} killed, ${tally.retries.length} retries in ${tally.seconds.toFixed(1)} s`
  )
}

// --- internal ---

type Growing = { -readonly [Name in keyof Tally]: Tally[Name] extends ReadonlyArray<infer A> ? Array<A> : Tally[Name] }

/** A process of the crew. */
interface Member {
  readonly ready: Effect.Effect<void>
  readonly go: () => void
  readonly dismiss: () => void
  readonly kill: () => void
  readonly ended: Effect.Effect<{ readonly end: number | string | null; readonly complaints: string }>
}

const recruit = Effect.fnUntraced(function* (
  { compileCache, given, program, random }: Options,
  { lives, name, ...post }: Post,
  place: { readonly life: number; readonly delivery: number },
  hear: (message: Message) => void
) {
  const dies = lives[place.life]
  const instructions = yield* Schema.encodeEffect(Instructions)({
    ...given,
    asks: "anything",
    ...post,
    applicationName: name,
    seed: random.below(2 ** 31),
    delivery: place.delivery,
    ...(dies === undefined ? undefined : { dies })
  }).pipe(Effect.orDie)
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, [program, instructions], {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, NODE_COMPILE_CACHE: compileCache }
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  // Whoever was killed does not read what is still written to it.
  child.stdin.on("error", () => undefined)
  const complaints: Array<string> = []
  child.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text))
  const closed = once(child, "close")
  const isReady = new Promise<void>((resolve) => {
    Readline.createInterface({ input: child.stdout }).on("line", (line) => {
      const message = Schema.decodeUnknownOption(Message)(line)
      // A process that is killed may leave half a line.
      if (message._tag === "None") return
      if (message.value._tag === "Ready") resolve()
      hear(message.value)
    })
  })
  return {
    ready: Effect.promise(() => Promise.race([isReady, closed]).then(() => undefined)),
    go: () => void child.stdin.write("go\n"),
    dismiss: () => void child.stdin.end(),
    kill: () => void child.kill("SIGKILL"),
    ended: Effect.promise(() =>
      closed.then(() => ({ end: child.signalCode ?? child.exitCode, complaints: complaints.join("") }))
    )
  } satisfies Member
})
