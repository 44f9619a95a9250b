/**
 * The net: the law tests that a mutant's death may come from. A mutant names the part of it that is meant to notice,
 * which says which test guards which mechanism.
 */
import type { Net } from "./Mutant.ts"

/** What the engine promises, in memory. */
export const memory = (tests: RegExp): Net => of("packages/core/test/execution/Engine.test.ts", tests)

/** What the engine promises, on PostgreSQL. */
export const postgres = (tests: RegExp): Net => of("packages/core/test/execution/Engine.integration.test.ts", tests)

/** Definitions that change from one run to the next. */
export const definitions: Net = of("packages/core/test/execution/Definition.test.ts", /takes back/)

/** Landings that die at each point. */
export const landing: Net = of("packages/core/test/execution/Landing.test.ts", /lands as one, or not at all/)

/** Transactions that meet at chosen points. */
export const interleaving = (tests: RegExp): Net =>
  of("packages/core/test/oracle/Interleaving.integration.test.ts", tests)

/** The three transactions of a write skew: a dimension, a fact, and the day that joins them. */
export const writeSkew: Net = of("packages/core/test/oracle/WriteSkew.integration.test.ts", /whichever of the three/)

/** Sums over customers, kept up by adding differences. */
export const differences = (tests: RegExp): Net => of("packages/core/test/oracle/Delta.integration.test.ts", tests)

/** A reader that becomes known while its upstream changes. */
export const registration: Net = of("packages/core/test/oracle/Registration.integration.test.ts", /becomes known while/)

/** A rebuild of everything, during which everything is marked again. */
export const wholeBuild: Net = of("packages/core/test/oracle/WholeBuild.integration.test.ts", /rebuilt as a whole/)

/** A session whose server has a zone and a style of its own. */
export const session: Net = of("packages/core/test/oracle/Session.integration.test.ts", /leaves zone and style/)

/** Partitions that are cut in another zone than UTC. */
export const zone: Net = of("packages/core/test/oracle/Zone.integration.test.ts", /partitions of another time zone/)

/** Random histories against a naive recompute, in memory. */
export const memoryHistories: Net = of("packages/core/test/oracle/Oracle.test.ts", /random histories/)

/** Random histories against a naive recompute, on PostgreSQL. */
export const postgresHistories: Net = of("packages/core/test/oracle/Shop1.oracle.test.ts", /random histories/)

/** A file that comes again, or is renamed, while its first landing is under way. */
export const redelivery: Net = of(
  "packages/core/test/concurrency/Redelivery.concurrency.test.ts",
  /under the new name|whoever comes first/
)

// --- internal ---

function of(file: string, tests: RegExp): Net {
  return { files: [file], tests }
}
