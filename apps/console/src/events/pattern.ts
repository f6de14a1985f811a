/** Whether a name matches, as the event bus has it: `*` is one word, `**` any number of them. An empty pattern takes all. */
export function matcher(pattern: string): (name: string) => boolean {
  const parts = (pattern.trim() || '**').split('.')
  return (name) => matches(parts, name.split('.'))
}

function matches([part, ...parts]: readonly string[], words: readonly string[]): boolean {
  if (part === undefined) return words.length === 0
  if (part === '**') return words.some((_, at) => matches(parts, words.slice(at))) || matches(parts, [])
  return words.length > 0 && (part === '*' || part === words[0]) && matches(parts, words.slice(1))
}
