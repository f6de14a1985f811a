import type { TokenArray } from './batches.js'
import type { TokenIndex, TokenSplit } from './token-index.js'
import type { TokenShards } from './token-shards.js'

/** A target that is not counted. */
export const ignoredTarget = -100

/** The windows of one pass over a part of the tokens. */
export interface EpochWindows {
  readonly size: number
  /** Writes window `index` from `at` on: inputs and, as targets, the tokens after them; targets that are not learned are -100. */
  write(index: number, inputs: TokenArray, targets: TokenArray, at: number): void
}

/** Windows of running text, one after the other without overlap, wherever documents begin. */
export class CutWindows implements EpochWindows {
  readonly size: number
  readonly #shards: TokenShards
  readonly #start: number
  readonly #length: number

  /** @param phase tokens left out before the first window */
  constructor(shards: TokenShards, { start, end }: TokenSplit, length: number, phase = 0) {
    this.#shards = shards
    this.#start = start + phase
    this.#length = length
    // A window needs one token more than its length: the last target.
    this.size = Math.floor((end - this.#start - 1) / length)
  }

  write(index: number, inputs: TokenArray, targets: TokenArray, at: number): void {
    const length = this.#length
    writeTokens(this.#shards.read(this.#start + index * length, length + 1), inputs, targets, at, 0)
  }
}

/** A conversation, or as much of a longer text as fits a window: `length` inputs from `start` on. */
export interface Segment {
  readonly start: number
  readonly length: number
}

/**
 * Windows of whole conversations, several in one where they fit; what is left over is filled up with ignored targets. Documents longer
 * than a window go into several.
 */
export class PackedWindows implements EpochWindows {
  readonly #shards: TokenShards
  readonly #segments: readonly Segment[]
  readonly #windows: readonly (readonly number[])[]
  readonly #length: number
  readonly #index: TokenIndex

  /** @param order of the segments: place → segment */
  constructor(
    shards: TokenShards,
    index: TokenIndex,
    segments: readonly Segment[],
    length: number,
    order: (place: number) => number = (place) => place,
  ) {
    this.#shards = shards
    this.#index = index
    this.#segments = segments
    this.#length = length
    const places = segments.map((_, place) => order(place))
    this.#windows = packed(
      places.map((segment) => segments[segment]!.length),
      length,
    ).map((window) => window.map((place) => places[place]!))
  }

  get size(): number {
    return this.#windows.length
  }

  write(index: number, inputs: TokenArray, targets: TokenArray, at: number): void {
    const { unlearned, eosId } = this.#index
    let place = at
    for (const segment of this.#windows[index]!) {
      const { start, length } = this.#segments[segment]!
      writeTokens(this.#shards.read(start, length + 1), inputs, targets, place, unlearned)
      place += length
    }
    for (; place < at + this.#length; place++) {
      setAt(inputs, place, eosId)
      setAt(targets, place, ignoredTarget)
    }
  }
}

/** Finds the segments in which anything is learned. */
export function findSegments(
  shards: TokenShards,
  { eosId, unlearned }: TokenIndex,
  { start, end }: TokenSplit,
  length: number,
): Segment[] {
  const segments: Segment[] = []
  let [from, learned] = [start, false]
  const cut = (to: number) => {
    if (learned && to > from) segments.push({ start: from, length: to - from })
    from = to
    learned = false
  }
  for (let at = start; at < end; at += scanned) {
    const tokens = shards.read(at, Math.min(scanned, end - at))
    for (let i = 0; i < tokens.length; i++) {
      const place = at + i
      if (place === from) continue
      // Every token but the first is the target of the one before it.
      if (unlearned === 0 || tokens[i]! < unlearned) learned ||= tokens[i] !== eosId
      if (tokens[i] === eosId || place - from === length) cut(place)
    }
  }
  cut(end - 1)
  return segments
}

/** Tokens looked at together. */
const scanned = 1 << 16

/** Windows that are filled at the same time. */
const mostOpen = 32

/**
 * Fills windows with segments in their order, each into the open window that it fills best (best fit with a bounded number of open bins).
 * @returns for each window the places of its segments in `lengths`
 */
export function packed(lengths: readonly number[], capacity: number): number[][] {
  const done: number[][] = []
  const open: { room: number; readonly places: number[] }[] = []
  const close = (window: (typeof open)[number]) => {
    open.splice(open.indexOf(window), 1)
    done.push(window.places)
  }
  const tightest = (fitting: number) =>
    open.reduce<(typeof open)[number] | undefined>(
      (best, window) => (window.room >= fitting && (!best || window.room < best.room) ? window : best),
      undefined,
    )
  for (const [place, length] of lengths.entries()) {
    let window = tightest(length)
    if (!window) {
      if (open.length === mostOpen) close(tightest(0)!)
      window = { room: capacity, places: [] }
      open.push(window)
    }
    window.places.push(place)
    window.room -= length
    if (window.room === 0) close(window)
  }
  return [...done, ...open.map(({ places }) => places)]
}

/** Writes tokens [length + 1] as inputs and targets [length]. @param unlearned what is added to tokens that are not learned, or 0 */
function writeTokens(
  tokens: Uint16Array | Uint32Array,
  inputs: TokenArray,
  targets: TokenArray,
  at: number,
  unlearned: number,
): void {
  if (unlearned === 0 && inputs instanceof Int32Array && targets instanceof Int32Array) {
    inputs.set(tokens.subarray(0, -1), at)
    targets.set(tokens.subarray(1), at)
    return
  }
  const last = tokens.length - 1
  for (let i = 0; i <= last; i++) {
    const flagged = unlearned !== 0 && tokens[i]! >= unlearned
    const id = flagged ? tokens[i]! - unlearned : tokens[i]!
    if (i < last) setAt(inputs, at + i, id)
    if (i > 0) setAt(targets, at + i - 1, flagged ? ignoredTarget : id)
  }
}

/** Writes one number, whatever the array's type. */
export function setAt(array: TokenArray, at: number, value: number): void {
  if (array instanceof Int32Array) array[at] = value
  else array[at] = BigInt(value)
}
