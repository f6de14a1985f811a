import { expect, it } from 'vitest'
import { matcher } from './pattern.js'

it.each([
  ['**', 'module.loaded', true],
  ['', 'log', true],
  ['module.*', 'module.loaded', true],
  ['module.*', 'module', false],
  ['module.*', 'module.a.b', false],
  ['training.**', 'training.report.step', true],
  ['**.report', 'training.report', true],
  ['**.report', 'report', true],
  ['log', 'logs', false],
] as const)('%s and %s: %s', (pattern, name, expected) => expect(matcher(pattern)(name)).toBe(expected))
