import * as Lane from "../../../core/test/mutation/Lane.ts"
import { mutants } from "./billingMutants.ts"

const configuration = "packages/billing-assets/test/mutation/vitest.config.ts"

Lane.control(configuration, mutants)
Lane.suite(configuration, mutants)
