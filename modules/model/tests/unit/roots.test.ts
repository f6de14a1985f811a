import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { enigmaFolders, modelRoots } from '../../roots.js'

test('ENIGMA_HOME puts everything into one folder', () => {
  expect(enigmaFolders({ ENIGMA_HOME: '/e', XDG_DATA_HOME: '/d' })).toEqual({ data: resolve('/e'), config: resolve('/e') })
})

test('without it the XDG folders are used, and a relative one is ignored, as the specification says', () => {
  expect(enigmaFolders({ XDG_DATA_HOME: '/d', XDG_CONFIG_HOME: 'relative' })).toEqual({
    data: join('/d', 'enigma'),
    config: join(homedir(), '.config', 'enigma'),
  })
})

test("the user's models come before the working folder's, those before the ones that ship", () => {
  const roots = modelRoots({ ENIGMA_HOME: '/e' }, '/w')
  expect(roots.slice(0, 2)).toEqual([join(resolve('/e'), 'models'), join('/w', 'models')])
  expect(roots).toContain(resolve(import.meta.dirname, '../../../../../models'))
})
