import { expect, it } from 'vitest'
import { chooseSlot, type SlotView } from './choose-slot.js'

const range = (length: number, from = 0) => Array.from({ length }, (_, index) => from + index)
const free = (read: readonly number[], freed = 0): SlotView => ({ read, freed, text: undefined })
const busy = (text: readonly number[], read = text): SlotView => ({ read, freed: 0, text })

it('a conversation goes on where it was read', () => {
  const slots = [free(range(50, 500)), free(range(40)), free([])]
  expect(chooseSlot(slots, range(60))).toEqual({ slot: 1, cached: 40 })
})

it('the last token of a prompt is always read again, for its logits', () => {
  expect(chooseSlot([free(range(40))], range(40))).toEqual({ slot: 0, cached: 39 })
  expect(chooseSlot([free(range(40))], range(30))).toEqual({ slot: 0, cached: 29 })
})

it('what has little in common takes an empty slot, then the one that was free for longest', () => {
  expect(chooseSlot([free([7, 8], 3), free([])], [1, 2])).toEqual({ slot: 1, cached: 0 })
  expect(chooseSlot([free([7, 8], 3), free([9, 9], 2)], [1, 2])).toEqual({ slot: 1, cached: 0 })
})

it('a common beginning is copied where going on in its slot would lose most of another conversation', () => {
  const other = [...range(20), ...range(100, 900)]
  expect(chooseSlot([free(other, 5), free([], 0)], range(30))).toEqual({ slot: 1, cached: 20, from: 0 })
})

it('a beginning is copied from a text under way', () => {
  expect(chooseSlot([busy(range(40)), free([])], [...range(30), 99])).toEqual({ slot: 1, cached: 30, from: 0 })
})

it('waits for a beginning that is being read, unless it is hardly longer than what there is', () => {
  const prompt = range(100)
  expect(chooseSlot([busy(range(300), []), free([])], prompt)).toBe('wait')
  expect(chooseSlot([busy(range(300), range(80)), free([])], prompt)).toBe('wait')
  expect(chooseSlot([busy(range(300), range(90)), free([])], [...range(95), 7, 7, 7])).toMatchObject({ cached: 90 })
  expect(chooseSlot([busy([...range(5), 7, 8], []), free([])], prompt)).toEqual({ slot: 1, cached: 0 })
})

it('the same short prompt is waited for, too', () => {
  expect(chooseSlot([busy([1, 2, 3], []), free([])], [1, 2, 3])).toBe('wait')
})
