import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manifest } from '../testing/build.js'
import { parseActivation } from './activation.js'

test('the forms of an activation', () => {
  expect(
    ['onStart', 'onCommand:image_gen:make', 'onCapability:Text_Generation', 'onEvent:a.*', 'onEvent:a:b'].map(parseActivation),
  ).toEqual([
    { on: 'start' },
    { on: 'command', module: 'image-gen', command: 'make' },
    { on: 'capability', capability: 'text-generation' },
    { on: 'event', pattern: 'a.*' },
    { on: 'event', pattern: 'a:b' },
  ])
})

test('anything else is refused by name when the manifest is read', () => {
  for (const text of ['onstart', 'onStart:now', 'onCommand:a', 'onCommand::x', 'onCapability:', 'onEvent:', ':', '*']) {
    expect(parseActivation(text)).toBeUndefined()
    expect(() => manifest('a', { activation: [text] })).toThrow(`'activation' has '${text}'; write onStart, onCommand:`)
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseActivation(text)
      if (parsed !== undefined) expect(text.trim().startsWith('on')).toBe(true)
    }),
  )
})
