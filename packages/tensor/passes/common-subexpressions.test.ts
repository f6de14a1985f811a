import { describe, expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { trace } from '../trace.js'
import { commonSubexpressions } from './common-subexpressions.js'

describe('common subexpressions', () => {
  it('are computed once', () => {
    const program = trace({ x: { shape: [2] } }, ({ x }) => ({ y: x.exp().add(x.exp()) }))
    expect(commonSubexpressions(program).nodes.map(({ op }) => op)).toEqual(['exp', 'add'])
  })

  it('are not those that differ in a number JSON does not tell apart', async () => {
    const program = trace({ x: { shape: [1] } }, ({ x }) => ({
      high: x.pad(0, 1, 0, Number.POSITIVE_INFINITY),
      low: x.pad(0, 1, 0, Number.NEGATIVE_INFINITY),
    }))
    const { high, low } = await evaluate(program, { x: [1] }, { threads: 1 })
    expect([...high!.data]).toEqual([Number.POSITIVE_INFINITY, 1])
    expect([...low!.data]).toEqual([Number.NEGATIVE_INFINITY, 1])
  })
})
