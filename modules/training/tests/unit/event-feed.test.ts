import { expect, test } from 'vitest'
import { EventFeed } from '../../event-feed.js'

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const event of events) list.push(event)
  return list
}

test('each reader gets what comes from the moment it asked, until the end', async () => {
  const feed = new EventFeed<number>()
  feed.push(1)
  const early = all(feed.read())
  feed.push(2)
  const late = all(feed.read())
  feed.push(3)
  feed.end()
  expect(await early).toEqual([2, 3])
  expect(await late).toEqual([3])
  expect(await all(feed.read())).toEqual([])
})

test('a reader that leaves does not hold up the others', async () => {
  const feed = new EventFeed<number>()
  const stays = all(feed.read())
  const leaves = (async () => {
    for await (const _ of feed.read()) break
  })()
  feed.push(1)
  await leaves
  feed.push(2)
  feed.end()
  expect(await stays).toEqual([1, 2])
})
