import { describe, expect, it } from 'vitest'
import { translateSeedFlags } from './seed-flags.js'

describe('the flags of the seed documents', () => {
  it('train becomes the command train, with its own names for size and folder', () => {
    const words = translateSeedFlags([
      '--train',
      '--model',
      'small',
      '--data',
      'f.txt',
      '--output=out',
      '--epochs',
      '3',
      '--force',
    ])
    expect(words).toEqual(['train', '--size', 'small', '--data', 'f.txt', '--out=out', '--epochs', '3', '--force'])
  })

  it('a size under --model of run is a size, anything else a model', () => {
    expect(translateSeedFlags(['--run', '--model', 'small'])).toEqual(['chat', '--size', 'small'])
    expect(translateSeedFlags(['--model=xl', '--run'])).toEqual(['chat', '--size=xl'])
    expect(translateSeedFlags(['--run', '--model', 'storyteller'])).toEqual(['chat', '--model', 'storyteller'])
  })

  it('leaves commands alone, also when their values look like modes', () => {
    expect(translateSeedFlags(['run', '--train'])).toEqual(['run', '--train'])
    expect(translateSeedFlags(['--help'])).toEqual(['--help'])
  })

  it('serve and gui are commands of their own', () => {
    expect(translateSeedFlags(['--serve', '--port', '0'])).toEqual(['serve', '--port', '0'])
    expect(translateSeedFlags(['--gui'])).toEqual(['gui'])
  })

  it('refuses two modes', () => {
    expect(() => translateSeedFlags(['--train', '--run'])).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
