/**
 * Which histories are lived through: the first few seeds, or the ones that the environment asks for with
 * `ORACLE_SEED` (one seed, to replay a failure) or `ORACLE_COUNT` (so many seeds, to search for longer).
 */
export const seeds = (usual: number): ReadonlyArray<number> => {
  const one = process.env["ORACLE_SEED"]
  if (one !== undefined) return [Number(one)]
  return Array.from({ length: Number(process.env["ORACLE_COUNT"] ?? usual) }, (_, index) => index + 1)
}
