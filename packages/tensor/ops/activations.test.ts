import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { hardswish } from '../functional/activations.js'
import { grad } from '../grad.js'
import { trace } from '../trace.js'

it('the derivative of hardswish at its bends is that of the flat side, as in PyTorch', async () => {
  const program = trace({ x: { shape: [3] } }, ({ x }) => ({ y: hardswish(x).sum() }))
  const results = await evaluate(grad(program, { of: 'y', wrt: ['x'] }), { x: [-3, 0, 3] }, { threads: 1 })
  expect([...results['d.x']!.data]).toEqual([0, 0.5, 1])
})
