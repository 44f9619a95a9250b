/**
 * The mutant in the processes that the tests of a child run start: they load the source by themselves, without vite.
 * Node runs this first, by `NODE_OPTIONS`.
 */
import * as Module from "node:module"
import { fileURLToPath } from "node:url"
import * as Mutant from "./Mutant.ts"

const mutant = Mutant.inherited()

Module.registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    const { source } = loaded
    const mutated =
      mutant === undefined || !url.startsWith("file:") || source === undefined
        ? undefined
        : Mutant.mutate(
            mutant,
            fileURLToPath(url),
            typeof source === "string" ? source : new TextDecoder().decode(source)
          )
    return mutated === undefined ? loaded : { ...loaded, source: mutated }
  }
})
