import * as Lane from "./Lane.ts"
import { mutants as ofSteps } from "./stepMutants.ts"
import { mutants as ofTables } from "./tableMutants.ts"

Lane.control("packages/core/test/mutation/vitest.config.ts", [...ofSteps, ...ofTables])
