import { enigmaFolders } from 'enigma'
import { describe, expect, it } from 'vitest'
import { folders } from './folders.js'

describe('home folders', () => {
  it.each([
    {},
    { ENIGMA_HOME: 'here' },
    { ENIGMA_HOME: '/there', XDG_CONFIG_HOME: '/c' },
    { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d' },
    { XDG_CONFIG_HOME: 'relative', XDG_DATA_HOME: '' },
  ])('are those of the front door under %o', (env) => {
    expect(enigmaFolders(env)).toMatchObject(folders(env))
  })
})
