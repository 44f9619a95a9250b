import * as Lane from "./Lane.ts"
import { mutants } from "./stepMutants.ts"

Lane.suite("packages/core/test/mutation/vitest.config.ts", mutants)
