import * as Lane from "../../../core/test/mutation/Lane.ts"
import { mutants } from "./billingMutants.ts"

Lane.suite("packages/billing-assets/test/mutation/vitest.config.ts", mutants)
