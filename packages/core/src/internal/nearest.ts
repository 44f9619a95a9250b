/** The word nearest to what was written, if most of what was written agrees with it. */
export const find = (words: ReadonlyArray<string>, text: string): string | undefined => {
  let nearest: string | undefined
  let least = Math.max(1, Math.floor(text.length / 2)) + 1
  for (const word of words) {
    const distance = edits(word.toLowerCase(), text.toLowerCase())
    if (distance < least) {
      least = distance
      nearest = word
    }
  }
  return nearest
}

// --- internal ---

/** Edit distance by Wagner and Fischer, two rows at a time. */
const edits = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 0; i < left.length; i++) {
    const following = [i + 1]
    for (let j = 0; j < right.length; j++) {
      const replaced = row[j] + (left[i] === right[j] ? 0 : 1)
      following.push(Math.min(replaced, row[j + 1] + 1, following[j] + 1))
    }
    row = following
  }
  return row[right.length]
}
