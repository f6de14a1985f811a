import { expect, test } from 'vitest'
import { ModuleError } from '../errors.js'
import { Scope } from './scope.js'

test('disposers run newest first, each after the one before has ended', async () => {
  const log: string[] = []
  const scope = new Scope('m')
  scope.add('a', () => log.push('a'))
  scope.add('b', async () => {
    log.push('b begins')
    await Promise.resolve()
    log.push('b ends')
  })
  scope.add('c', () => log.push('c'))
  await scope.close()
  expect(log).toEqual(['c', 'b begins', 'b ends', 'a'])
})

test('every disposer runs even when some fail, and all failures are reported', async () => {
  const log: string[] = []
  const scope = new Scope('m')
  scope.add('a', () => log.push('a'))
  scope.add('b', () => {
    throw new Error('first')
  })
  scope.add('c', () => Promise.reject(new Error('second')))
  const error = await Promise.resolve(scope.close()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ModuleError)
  expect((error as ModuleError).message).toBe("Undoing what 'm' had registered failed 2 time(s): second; first")
  expect((error as ModuleError).cause).toBeInstanceOf(AggregateError)
  expect(log).toEqual(['a'])
})

test('a disposer that never ends is given up at its deadline, and the others still run', async () => {
  const log: string[] = []
  const scope = new Scope('m', 20)
  scope.add('a', () => log.push('a'))
  scope.add('hangs', () => new Promise(() => undefined))
  await expect(scope.close()).rejects.toThrow("'hangs' of 'm' was not undone in 20 ms")
  expect(log).toEqual(['a'])
})

test('a registration can be undone early, once', async () => {
  let count = 0
  const scope = new Scope('m')
  const undo = scope.add('a', () => count++)
  expect(scope.labels).toEqual(['a'])
  undo()
  undo()
  expect(scope.labels).toEqual([])
  await scope.close()
  expect(count).toBe(1)
})

test('a closed scope refuses late effects, and closing twice does nothing more', async () => {
  let count = 0
  const scope = new Scope('m')
  scope.add('a', () => count++)
  await scope.close()
  await scope.close()
  expect(count).toBe(1)
  expect(() => scope.add('late', () => undefined)).toThrow(/'late' is refused/)
})

test('using disposes of it at the end of the block', async () => {
  let gone = false
  {
    await using scope = new Scope('m')
    scope.add('a', () => (gone = true))
  }
  expect(gone).toBe(true)
})

test('thousands of short-lived registrations leave nothing behind', () => {
  const scope = new Scope('m')
  scope.add('stays', () => undefined)
  const undo = Array.from({ length: 10_000 }, (_, i) => scope.add(`e${i}`, () => undefined))
  for (const one of undo) one()
  expect(scope.labels).toEqual(['stays'])
})
