// One sample of an op, forward and backward: `enigma.mjs --case gemm --threads 2 [--runs n]` prints one line of JSON.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compile, conv2d, grad, layerNorm, scaledDotProductAttention, tensor, trace } from '@enigma/tensor'
import { median } from '../harness/statistics.mjs'

const { values } = parseArgs({
  options: { case: { type: 'string' }, threads: { type: 'string', default: '2' }, runs: { type: 'string', default: '30' } },
})
const { inputs, output } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'))[values.case]
const names = Object.keys(inputs)

const forward = {
  gemm: ({ a, b }) => a.matmul(b),
  attention: ({ q, k, v }) => scaledDotProductAttention(q, k, v, { causal: true }),
  conv: ({ x, weight }) => conv2d(x, weight, undefined, { padding: 1 }),
  'layer-norm': ({ x, weight, bias }) => layerNorm(x, [512], { weight, bias }),
  softmax: ({ x }) => x.softmax(),
  embedding: ({ table }) => {
    const ids = Array.from({ length: output[0] }, (_, index) => (index * 2654435761) % inputs.table[0])
    return table.gatherRows(table.builder.constant(ids, [ids.length], 'i64'))
  },
}[values.case]

/** The number `index` of a tensor, of [-1, 1): the same in pytorch.py. */
const numberAt = (index) => Math.imul(index, 2654435761) / 2 ** 31
const sizeOf = (shape) => shape.reduce((size, dim) => size * dim, 1)
const filled = (shape, offset) =>
  tensor(
    Array.from({ length: sizeOf(shape) }, (_, index) => numberAt(index + offset)),
    shape,
  )
const empty = (shape) => ({ dtype: 'f32', shape, data: new Float32Array(sizeOf(shape)) })

const specs = Object.fromEntries([...names.map((name) => [name, { shape: inputs[name] }]), ['seed', { shape: output }]])
const traced = trace(specs, ({ seed, ...tensors }) => {
  const y = forward(tensors)
  return { y, loss: y.mul(seed).sum() }
})
const whole = grad(traced, { of: 'loss', wrt: names })
// As PyTorch's y.backward(seed): the loss itself is not computed.
const program = { ...whole, outputs: whole.outputs.filter(({ name }) => name !== 'loss') }
const executable = await compile(program, { threads: Number(values.threads) })
const feeds = Object.fromEntries([
  ...names.map((name, index) => [name, filled(inputs[name], index)]),
  ['seed', filled(output, 11)],
])
const fetches = Object.fromEntries([['y', empty(output)], ...names.map((name) => [`d.${name}`, empty(inputs[name])])])
const run = executable.bind(feeds, fetches)
const walls = []
for (let i = 0; i < Number(values.runs) + 3; i++) {
  const begun = performance.now()
  await run.run()
  if (i >= 3) walls.push(performance.now() - begun)
}
const sums = Object.values(fetches).map(({ data }) => data.reduce((total, value) => total + Math.abs(value), 0))
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ ms: median(walls), sums, cpuMs: (user + system) / 1000 }))
run.release()
executable.release()
