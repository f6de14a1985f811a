import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { enigmaFolders } from './folders.js'

test('ENIGMA_HOME puts everything into one folder', () => {
  const home = resolve('/e')
  expect(enigmaFolders({ ENIGMA_HOME: '/e', XDG_DATA_HOME: '/d' })).toEqual({
    data: home,
    config: home,
    state: join(home, 'state'),
    cache: join(home, 'cache'),
    logs: join(home, 'logs'),
  })
})

test('without it the XDG folders are used, and a relative one is ignored, as the specification says', () => {
  expect(enigmaFolders({ XDG_DATA_HOME: '/d', XDG_CONFIG_HOME: 'relative', XDG_STATE_HOME: '/s' })).toEqual({
    data: join('/d', 'enigma'),
    config: join(homedir(), '.config', 'enigma'),
    state: join('/s', 'enigma'),
    cache: join(homedir(), '.cache', 'enigma'),
    logs: join('/s', 'enigma', 'logs'),
  })
})
