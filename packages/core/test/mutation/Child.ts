/**
 * The configuration of a child run: the engine's tests over a source in which the mutant that the environment names has
 * made its edits. To see what a mutant does, run it by hand: the lane prints the command.
 */
import * as Path from "node:path"
import { defineConfig, type Plugin, type ViteUserConfig } from "vitest/config"
import * as Mutant from "./Mutant.ts"

export const config = (mutants: ReadonlyArray<Mutant.Mutant>): ViteUserConfig => {
  const name = process.env[Mutant.variable]
  const mutant = mutants.find((candidate) => candidate.name === name)
  if (name !== undefined && mutant === undefined) throw new Error(`there is no mutant "${name}"`)
  return defineConfig({
    root: Mutant.root,
    plugins: mutant === undefined ? [] : [plugin(mutant)],
    test: {
      include: ["packages/*/test/**/*.test.ts"],
      globalSetup: [Path.join(import.meta.dirname, "Server.ts")],
      env: {
        // One history without a mutant, since the oracle lane has the others already; and one that fails is not shrunk.
        ORACLE_COUNT: process.env["ORACLE_COUNT"] ?? (mutant === undefined ? "1" : "16"),
        ORACLE_ATTEMPTS: process.env["ORACLE_ATTEMPTS"] ?? "0",
        ...(mutant === undefined ? {} : Mutant.environment(mutant))
      },
      fsModuleCache: true,
      bail: 1,
      maxWorkers: 1,
      testTimeout: 900_000,
      hookTimeout: 900_000
    }
  })
}

// --- internal ---

const plugin = (mutant: Mutant.Mutant): Plugin => ({
  name: "mutant",
  // Before types are stripped, so that snippets are quoted as they stand in the file.
  enforce: "pre",
  transform: (code, id) => {
    const mutated = Mutant.mutate(mutant, id.split("?")[0] ?? id, code)
    return mutated === undefined ? undefined : { code: mutated, map: null }
  },
  // The cache of transformed files knows a plugin by its name only: another mutant would run what this one has left there.
  configureVitest: ({ defineCacheKeyGenerator }) =>
    defineCacheKeyGenerator(({ id }) => (Mutant.isEdited(mutant, id.split("?")[0] ?? id) ? false : undefined))
})
