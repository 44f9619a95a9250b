import type { Sql } from "@assay/core/Sql"
import { sql } from "@assay/core/Sql"

const age = 18

export const composed: Sql = sql`SELECT name FROM person WHERE ${sql`age >= ${age}`} AND city = ${null}`

// @ts-expect-error: Argument of type 'Date' is not assignable to parameter of type 'Sql | Value'
export const dates = sql`SELECT name FROM person WHERE born < ${new Date(0)}`

// @ts-expect-error: Argument of type 'undefined' is not assignable to parameter of type 'Sql | Value'
export const absent = sql`SELECT name FROM person WHERE city = ${undefined}`
