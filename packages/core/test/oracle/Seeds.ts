/**
 * Which histories are lived through, and how hard a failure is shrunk: as the tests say, or as the environment asks with
 * `ORACLE_SEED` (one seed), `ORACLE_COUNT` (so many seeds) and `ORACLE_ATTEMPTS` (0 where that it fails is enough).
 */
export const seeds = (usual: number, from = 1): ReadonlyArray<number> => {
  const one = process.env["ORACLE_SEED"]
  if (one !== undefined) return [Number(one)]
  return Array.from({ length: Number(process.env["ORACLE_COUNT"] ?? usual) }, (_, index) => from + index)
}

/** How often a failed history is lived through again with fewer events. */
export const attempts: number = Number(process.env["ORACLE_ATTEMPTS"] ?? 80)
