/** A text under way, as the schedule sees it. */
export interface Reader {
  /** Tokens it has not fed yet: 1 while it generates, more while its prompt is read. */
  readonly pending: number
  /** The number of the step in which it last read a piece of its prompt; the lowest is due. */
  readonly served: number
}

/** What is computed next: a piece of one prompt, or a token for each of the texts that generate. Indices into the list given. */
export type Step =
  | { readonly kind: 'read'; readonly reader: number; readonly count: number }
  | { readonly kind: 'decode'; readonly readers: readonly number[] }

/** Longest pieces of a prompt, in tokens: alone, and beside texts that generate, which wait for as long as a piece takes. */
export const pieces = { alone: 512, beside: 128 } as const

/**
 * The schedule: as long as anything generates, every second step is a token for all that do, so that no prompt, however long, stops a
 * stream for longer than one piece takes. Prompts take turns by pieces, so that a short one does not wait for the whole of a long one.
 * @param readers at least one
 */
export function nextStep(readers: readonly Reader[], previous: Step['kind'] | undefined): Step {
  const generating = [...readers.keys()].filter((index) => readers[index]!.pending === 1)
  const reading = [...readers.keys()].filter((index) => readers[index]!.pending > 1)
  if (reading.length === 0 || (generating.length > 0 && previous === 'read')) return { kind: 'decode', readers: generating }
  const due = reading.reduce((a, b) => (readers[b]!.served < readers[a]!.served ? b : a))
  const longest = generating.length > 0 ? pieces.beside : pieces.alone
  return { kind: 'read', reader: due, count: Math.min(readers[due]!.pending, longest) }
}
