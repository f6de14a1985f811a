/** A small text with some order in it: sentences of a few words, the same for the same seed. */
export function sampleText(lines: number, seed = 1): string {
  let state = seed
  const pick = (words: readonly string[]) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return words[Math.floor((state / 2 ** 32) * words.length)]!
  }
  const line = () =>
    `The ${pick(['old', 'young', 'brave', 'little'])} ${pick(['king', 'fox', 'miller', 'girl'])} ${pick(['saw', 'found', 'sold', 'lost'])} the ${pick(['ring', 'road', 'apple', 'horse'])}.`
  return Array.from({ length: lines }, line).join('\n')
}
