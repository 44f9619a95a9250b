import { config } from "../../../core/test/mutation/Child.ts"
import { mutants } from "./billingMutants.ts"

export default config(mutants)
