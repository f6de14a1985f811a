import { expect, it } from 'vitest'
import { tensor } from './builder.js'
import { maskedSelect } from './masked-select.js'
import type { Tensor } from './tensor.js'
import { trace } from './trace.js'

const mask = (values: readonly number[], shape: readonly number[]) => tensor(values, shape, 'bool')

it('maskedSelect keeps what the mask chooses, in order', () => {
  expect(maskedSelect(tensor([1, 2, 3, 4, 5, 6], [2, 3]), mask([1, 0, 1, 0, 0, 1], [2, 3]))).toEqual(tensor([1, 3, 6]))
})

it('maskedSelect broadcasts both, and keeps the type', () => {
  const column = tensor([7, 8], [2, 1], 'i64')
  expect(maskedSelect(column, mask([1, 0, 1], [3]))).toEqual(tensor([7, 7, 8, 8], [4], 'i64'))
  expect(maskedSelect(tensor([1, 2, 3]), mask([0, 1], [2, 1]))).toEqual(tensor([1, 2, 3]))
  expect(maskedSelect(tensor([5], []), mask([1, 1], [2]))).toEqual(tensor([5, 5]))
  expect(maskedSelect(tensor([], [0, 3]), mask([1, 1, 1], [3]))).toEqual(tensor([], [0]))
})

it('maskedSelect says why a program cannot have it, and what does not fit', () => {
  const inProgram = () =>
    trace({ x: { shape: [3] } }, ({ x }) => ({ y: maskedSelect(x as never, x.greater(0) as never) as unknown as Tensor }))
  expect(inProgram).toThrow(
    /^maskedSelect: how many elements .* Use mask\.where\(x, 0\) or x\.maskedFill\(mask, 0\) in the program/,
  )
  expect(() => maskedSelect(tensor([1, 2]), tensor([1, 0]))).toThrow(/the mask must be bool, given f32/)
  expect(() => maskedSelect(tensor([1, 2]), mask([1, 0, 1], [3]))).toThrow(/do not broadcast; shapes \[2\] and \[3\]/)
})
