// The pages and what they show are one: a block that names a file (```js examples/chat-bot.mjs) has consecutive lines of it, every
// example is shown or linked, and links lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const docs = import.meta.dirname
const root = resolve(docs, '..')
const read = (path) => readFileSync(path, 'utf8')
const pages = [
  join(root, 'README.md'),
  ...readdirSync(docs)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(docs, name)),
]

const shown = (page) => [...read(page).matchAll(/^```\w+ (\S+)\n(.*?)^```/gms)].map(([, file, code]) => ({ file, code }))
const links = (page) =>
  [
    ...read(page)
      .replaceAll(/^```.*?^```/gms, '')
      .matchAll(/\]\(([^)#\s]+)[^)]*\)/g),
  ].map(([, target]) => target)

describe.each(pages.map((page) => [relative(root, page), page]))('%s', (_, page) => {
  it('shows files as they are', () => {
    const others = shown(page).filter(({ file, code }) => !`\n${read(join(dirname(page), file))}`.includes(`\n${code}`))
    expect(others).toEqual([])
  })

  it('links to what is there', () => {
    const broken = links(page).filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)))
    expect(broken).toEqual([])
  })
})

it('every example stands on a page', () => {
  const named = pages.flatMap((page) => [...shown(page).map(({ file }) => file), ...links(page)])
  const examples = readdirSync(join(docs, 'examples')).filter((name) => name.endsWith('.mjs'))
  expect(examples.filter((name) => !named.includes(`examples/${name}`))).toEqual([])
})
