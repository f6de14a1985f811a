/** A slot, as the choice sees it. */
export interface SlotView {
  /** Tokens it has read. */
  readonly read: readonly number[]
  /** All tokens of the text that it works on, those to be read included; undefined while it is free. */
  readonly text: readonly number[] | undefined
  /** The number of the step in which its last text ended; the lowest was free for longest. */
  readonly freed: number
}

/**
 * Where a text begins, and how many tokens of its prompt are there already: in the slot itself, or copied from another one.
 * 'wait': a text under way is just reading what both begin with, which is cheaper to copy than to read twice.
 */
export type SlotChoice = { readonly slot: number; readonly cached: number; readonly from?: number } | 'wait'

/** Shared beginnings shorter than this are not waited for. */
const worthWaiting = 16

/**
 * The prefix cache: what a slot has read stays when its text ends. A text goes on in the free slot that begins with the most of its prompt,
 * if that is at least half of what the slot holds; else it takes an empty slot, or the one that was free for longest, and a copy of the
 * longest beginning that any slot has. At least the prompt's last token is read again, for its logits.
 * @param slots at least one of them free; `empty` ones come last
 */
export function chooseSlot(slots: readonly SlotView[], prompt: readonly number[]): SlotChoice {
  const most = prompt.length - 1
  const common = slots.map(({ read }) => Math.min(most, commonLength(read, prompt)))
  const longest = common.reduce((best, length) => Math.max(best, length), 0)
  for (const { read, text } of slots) {
    if (!text || read.length === text.length || read.length >= most) continue
    const coming = Math.min(most, commonLength(text, prompt))
    if (coming > longest && (coming === most || coming - longest >= worthWaiting)) return 'wait'
  }
  const free = [...slots.keys()].filter((index) => !slots[index]!.text)
  const own = free.reduce((a, b) => (common[b]! > common[a]! ? b : a))
  if (common[own] === longest && longest > 0 && 2 * longest >= slots[own]!.read.length) return { slot: own, cached: longest }
  const empty = free.find((index) => slots[index]!.read.length === 0)
  const slot = empty ?? free.reduce((a, b) => (slots[b]!.freed < slots[a]!.freed ? b : a))
  // What the slot itself begins with needs no copy.
  if (common[slot] === longest) return { slot, cached: longest }
  return { slot, cached: longest, from: common.indexOf(longest) }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length)
  let common = 0
  while (common < length && a[common] === b[common]) common++
  return common
}
