import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { modelRoots } from '../../roots.js'

test("the user's models come before the working folder's, those before the ones that ship", () => {
  const roots = modelRoots({ ENIGMA_HOME: '/e' }, '/w')
  expect(roots.slice(0, 2)).toEqual([join(resolve('/e'), 'models'), join('/w', 'models')])
  expect(roots).toContain(resolve(import.meta.dirname, '../../../../../models'))
})
