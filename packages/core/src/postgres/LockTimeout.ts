/**
 * How long a statement waits for a lock that others wait behind: while it is asked for, nobody else gets one that
 * conflicts with it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Reason } from "../MaterializationError.ts"
import { sql } from "../Sql.ts"
import type { Postgres } from "./Postgres.ts"

/**
 * Runs statements of the current transaction, each of which gives up when it has waited so long for a lock (`3s`). What the
 * transaction had before holds again behind them; where one fails, it ends with its transaction or savepoint.
 *
 * @category effects
 * @since 0.1.0
 */
export const within = Effect.fnUntraced(function* <A>(
  pg: typeof Postgres.Service,
  patience: string,
  statements: Effect.Effect<A, Reason>
): Effect.fn.Return<A, Reason> {
  const [before] = yield* pg.query(
    sql`SELECT current_setting('lock_timeout') AS patience, set_config('lock_timeout', ${patience}, true) AS ours`,
    Schema.Struct({ patience: Schema.String })
  )
  const result = yield* statements
  yield* pg.execute(sql`SELECT set_config('lock_timeout', ${before?.patience ?? "0"}, true)`)
  return result
})
