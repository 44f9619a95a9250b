import * as Postgres from "@assay/core/postgres/Postgres"
import { literal } from "@assay/core/Sql"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inject } from "vitest"
import * as SchemaDump from "../support/SchemaDump.ts"
import { database } from "./layers.ts"

const file = Fs.readFileSync(Path.join(import.meta.dirname, "..", "..", "schema.sql"), "utf8")

describe("schema.sql", () => {
  it("is what the migrations lead to", () =>
    SchemaDump.ofServer(inject("postgresUrl")).then((dump) => assert.strictEqual(file, dump)))

  it.effect("makes, when it is run, the ledger that it describes", () =>
    Effect.gen(function* () {
      const { execute } = yield* Postgres.Postgres
      yield* Effect.forEach(
        file.split(/;\n/).filter((statement) => statement.trim() !== ""),
        (statement) => execute(literal(statement))
      )
      assert.strictEqual(yield* SchemaDump.dump, file)
    }).pipe(Effect.provide(database))
  )
})
