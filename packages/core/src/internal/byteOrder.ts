/** The order of texts by their UTF-8 bytes, as PostgreSQL's collation "C" has it; JavaScript compares UTF-16 code units. */
export const compare = (self: string, that: string): number => {
  const shorter = Math.min(self.length, that.length)
  for (let index = 0; index < shorter; index++) {
    const a = self.charCodeAt(index)
    const b = that.charCodeAt(index)
    if (a !== b) return rank(a) - rank(b)
  }
  return self.length - that.length
}

// --- internal ---

/** Surrogates stand for code points above all others, though U+E000 to U+FFFF have greater code units. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
