import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { pages } from './reference.mjs'

it.each(Object.entries(pages))('docs/%s says what the tables say (else: node scripts/reference.mjs)', (name, text) => {
  expect(readFileSync(join(resolve(import.meta.dirname, '..'), 'docs', name), 'utf8')).toBe(text)
})
