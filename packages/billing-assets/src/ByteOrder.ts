/**
 * In which order does PostgreSQL's collation `C` put two texts? By their UTF-8 bytes. JavaScript compares UTF-16 code
 * units, which disagrees once a text leaves the Basic Multilingual Plane; results must not depend on who compares.
 */
import * as Order from "effect/Order"

/**
 * The order of texts by their UTF-8 bytes.
 *
 * @category instances
 * @since 0.1.0
 */
export const text: Order.Order<string> = Order.make((self, that) => {
  const shorter = Math.min(self.length, that.length)
  for (let index = 0; index < shorter; index++) {
    const a = self.charCodeAt(index)
    const b = that.charCodeAt(index)
    if (a !== b) return rank(a) < rank(b) ? -1 : 1
  }
  return self.length === that.length ? 0 : self.length < that.length ? -1 : 1
})

// --- internal ---

/** Surrogates stand for code points above all others, though U+E000 to U+FFFF have greater code units. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
