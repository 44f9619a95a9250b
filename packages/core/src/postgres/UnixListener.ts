/**
 * Is somebody still there? A listening unix socket is the one mark that a process leaves in the world and that the
 * kernel takes back at its death, whatever kills it: a connection attempt answers the question without process ids,
 * which are reused, and without heartbeats, which a busy process misses.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Net from "node:net"

/**
 * A listening socket of this process.
 *
 * @category models
 * @since 0.1.0
 */
export interface UnixListener {
  readonly address: string
  /** Stops listening at once, and removes the socket's file. */
  readonly close: Effect.Effect<void>
}

/**
 * Binds an address that nobody holds and listens on it; `EADDRINUSE` when it is taken, by a living or a dead holder.
 * Does not keep the process alive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (address: string): Effect.Effect<UnixListener, NodeJS.ErrnoException> =>
  Effect.callback<UnixListener, NodeJS.ErrnoException>((resume) => {
    const server = Net.createServer((socket) => {
      socket.destroy()
    })
    server.on("error", (error) => resume(Effect.fail(error)))
    server.listen({ path: address }, () => {
      server.unref()
      resume(Effect.succeed({ address, close: Effect.sync(() => server.close()) }))
    })
  })

/**
 * Whether a living process listens on an address. Only the kernel's word that nobody does counts as no: what cannot be
 * told (no permission, a full queue) counts as yes.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAlive = (address: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = Net.connect({ path: address })
    socket.on("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.on("error", (error) =>
      resume(Effect.succeed(!(Predicate.hasProperty(error, "code") && isNobody(error.code))))
    )
  })

// --- internal ---

const isNobody = (code: unknown): boolean => code === "ECONNREFUSED" || code === "ENOENT"
