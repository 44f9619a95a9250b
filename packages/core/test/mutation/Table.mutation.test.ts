import * as Lane from "./Lane.ts"
import { mutants } from "./tableMutants.ts"

Lane.suite("packages/core/test/mutation/vitest.config.ts", mutants)
