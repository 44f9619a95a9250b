import { config } from "./Child.ts"
import { mutants as ofSteps } from "./stepMutants.ts"
import { mutants as ofTables } from "./tableMutants.ts"

export default config([...ofSteps, ...ofTables])
