import { describe, expect, test } from 'vitest'
import { ModuleError } from '../errors.js'
import { checkTransition, isUp, type ModuleState, transitions } from './state.js'

const states = Object.keys(transitions) as ModuleState[]

const legal: readonly (readonly [ModuleState, ModuleState])[] = [
  ['unloaded', 'loading'],
  ['unloaded', 'disabled'],
  ['loading', 'loaded'],
  ['loading', 'error'],
  ['loading', 'unloaded'],
  ['loaded', 'active'],
  ['loaded', 'unloaded'],
  ['loaded', 'error'],
  ['active', 'loaded'],
  ['active', 'error'],
  ['error', 'unloaded'],
  ['disabled', 'unloaded'],
]

describe.each(states)('from %s', (from) => {
  test.each(states)('to %s', (to) => {
    if (legal.some(([a, b]) => a === from && b === to)) expect(() => checkTransition('m', from, to)).not.toThrow()
    else {
      expect(() => checkTransition('m', from, to)).toThrow(ModuleError)
      expect(() => checkTransition('m', from, to)).toThrow(`Module 'm' is ${from}: it cannot become ${to}`)
    }
  })
})

test('loaded and active count as loaded, nothing else does', () => {
  expect(states.filter(isUp)).toEqual(['loaded', 'active'])
})
