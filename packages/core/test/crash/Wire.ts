/**
 * A wire between clients and a PostgreSQL server that can be cut at any statement: a proxy that reads along, asks at
 * each statement what is to become of it, and ends the server's process before the statement arrives or before its
 * answer does. What a client sees is what it sees of a real server whose administrator, kernel or network did that.
 */
import type { PgClient } from "@effect/sql-pg"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"
import * as Path from "node:path"

/** Whether the statement is carried out, and whether its answer arrives. */
export type Fate = "passes" | "lost" | "unanswered"

/** A statement on its way to the server. */
export interface Statement {
  /** Its text, without what differs from one time to the next. */
  readonly text: string
  /** The texts of the transaction up to this statement, which is the last of them; only its own outside of one. */
  readonly path: string
}

/** Opens a wire to the server of a URL. The client is one of the same server, past the wire. */
export const make = Effect.fnUntraced(function* (options: {
  readonly url: string
  readonly client: PgClient.PgClient
  readonly fate: (statement: Statement) => Fate
}) {
  const { client, fate, url } = options
  const kill = (pid: number) => Effect.runPromise(client`SELECT pg_terminate_backend(${pid})`)
  const sockets = new Set<Net.Socket>()
  const listener = yield* Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer((socket) => {
        const upstream = Net.connect(addressOf(url))
        for (const end of [socket, upstream]) {
          // The kernel would hold a small message back until the one before is acknowledged, which takes 40 ms.
          end.setNoDelay()
          sockets.add(end)
          end.on("error", () => undefined).on("close", () => sockets.delete(end))
        }
        carry({ socket, upstream, fate, kill })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )
  const address = listener.address()
  const wired = new URL(url)
  wired.hostname = "127.0.0.1"
  wired.port = String(typeof address === "object" ? address?.port : address)
  wired.searchParams.delete("host")
  wired.searchParams.delete("port")
  return Redacted.make(wired.href)
})

// --- internal ---

/** The types of the protocol's messages that the wire has to know. */
const parse = "P".charCodeAt(0)
const bind = "B".charCodeAt(0)
const sync = "S".charCodeAt(0)
const backendKeyData = "K".charCodeAt(0)
const readyForQuery = "Z".charCodeAt(0)

const addressOf = (text: string): Net.NetConnectOpts => {
  const url = new URL(text)
  const port = Number(url.searchParams.get("port") ?? (url.port === "" ? "5432" : url.port))
  const host = url.searchParams.get("host") ?? (url.hostname === "" ? "localhost" : url.hostname)
  return host.startsWith("/") ? { path: Path.join(host, `.s.PGSQL.${port}`) } : { host, port }
}

const carry = (options: {
  readonly socket: Net.Socket
  readonly upstream: Net.Socket
  readonly fate: (statement: Statement) => Fate
  readonly kill: (pid: number) => Promise<unknown>
}): void => {
  const { fate, kill, socket, upstream } = options
  const prepared = new Map<string, string>()
  let path: ReadonlyArray<string> = []
  let text = ""
  let pid = 0
  let isInTransaction = false
  let answered: (() => void) | undefined

  let isStarted = false
  let request: Array<Buffer> = []
  let sending = Promise.resolve()
  const closed = new Promise<void>((resolve) => upstream.on("close", () => resolve()))
  // The server closes a connection when what was done on it is undone and its locks are free.
  const end = async () => {
    await kill(pid)
    await closed
  }
  const send = (frames: ReadonlyArray<Buffer>, of: Fate) => {
    const sent = async () => {
      if (of === "lost") await end()
      const answer = of === "unanswered" ? new Promise<void>((resolve) => (answered = resolve)) : undefined
      upstream.write(Buffer.concat(frames))
      if (answer === undefined) return
      await answer
      await end()
    }
    sending = sending.then(sent)
  }
  const reading = framed(
    () => (isStarted ? 1 : 0),
    (frame) => {
      if (!isStarted) {
        isStarted = true
        return send([frame], "passes")
      }
      const type = frame[0]
      if (type === parse) {
        const [name = "", query = ""] = texts(frame, 5)
        prepared.set(name, query)
        text = query
      }
      if (type === bind) text = prepared.get(texts(frame, 5)[1] ?? "") ?? text
      request.push(frame)
      // A request is whole with its Sync; the password and the farewell travel alone.
      const isAlone = request.length === 1 && type !== parse && type !== bind
      if (type !== sync && !isAlone) return
      if (isAlone) send(request, "passes")
      else {
        const known = text.replaceAll(/\d+/g, "#")
        path = [...(isInTransaction ? path : []), known]
        send(request, fate({ text: known, path: path.join(";\n") }))
      }
      request = []
    }
  )
  const answering = framed(
    () => 1,
    (frame) => {
      const type = frame[0]
      if (type === backendKeyData) pid = frame.readInt32BE(5)
      if (type === readyForQuery) isInTransaction = frame[5] !== "I".charCodeAt(0)
      if (answered === undefined) socket.write(frame)
      else if (type === readyForQuery) answered()
    }
  )
  socket.on("data", reading)
  socket.on("close", () => void sending.then(() => upstream.end()))
  upstream.on("data", answering)
  upstream.on("close", () => {
    answered?.()
    socket.end()
  })
}

/**
 * Cuts what arrives into messages: a type of so many bytes, none at first, and a length that counts itself and what
 * follows.
 */
const framed = (typeLength: () => number, onFrame: (frame: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  return (data: Buffer | string): void => {
    rest = Buffer.concat([rest, Buffer.from(data)])
    for (;;) {
      const head = typeLength()
      if (rest.length < head + 4) return
      const length = head + rest.readInt32BE(head)
      if (rest.length < length) return
      const frame = rest.subarray(0, length)
      rest = rest.subarray(length)
      onFrame(frame)
    }
  }
}

/** The texts at a place of a message, each of which ends with a zero. */
const texts = (frame: Buffer, from: number): ReadonlyArray<string> => frame.toString("utf8", from).split("\0")
