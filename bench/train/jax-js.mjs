// One sample of jax-js with its WebAssembly backend, step and update compiled: a child process that prints one JSON line.
import { importPeer } from '../harness/import-peer.mjs'
import { arrayCase } from './array-case.mjs'
import { adamwUpdate, llamaLoss, stepScalars } from './llama-arrays.mjs'
import { measureTraining } from './measure.mjs'

const { init, defaultDevice, jit, nn, numpy: np, valueAndGrad } = await importPeer('@jax-js/jax')
await init('wasm')
defaultDevice('wasm')
const { config, batch, length, optimizer, steps, inputs, targets, oneHotShape, weights } = arrayCase()

/** An op consumes its operands; each use here is of one more reference. */
const use = (x) => (typeof x === 'number' ? x : x.ref)
const ops = {
  constant: (data, shape) => np.array(Float32Array.from(data)).reshape(shape),
  add: (a, b) => np.add(use(a), use(b)),
  sub: (a, b) => np.subtract(use(a), use(b)),
  mul: (a, b) => np.multiply(use(a), use(b)),
  div: (a, b) => np.divide(use(a), use(b)),
  matmul: (a, b) => np.matmul(use(a), use(b)),
  transpose: (x, order) => np.transpose(use(x), order),
  reshape: (x, shape) => np.reshape(use(x), shape),
  slice: (x, begin, size) => use(x).slice(...begin.map((from, axis) => [from, from + size[axis]])),
  concat: (list, axis) => np.concatenate(list.map(use), axis),
  exp: (x) => np.exp(use(x)),
  log: (x) => np.log(use(x)),
  sqrt: (x) => np.sqrt(use(x)),
  rsqrt: (x) => np.reciprocal(np.sqrt(use(x))),
  sigmoid: (x) => nn.sigmoid(use(x)),
  sum: (x, axes) => (axes ? np.sum(use(x), axes[0], { keepdims: true }) : np.sum(use(x))),
  max: (x, axes) => np.max(use(x), axes[0], { keepdims: true }),
}
const arrays = (values) => Object.fromEntries(weights.map(({ name }, index) => [name, values[index]]))
const references = (tree) => Object.fromEntries(Object.entries(tree).map(([name, x]) => [name, x.ref]))
const zeros = () => arrays(weights.map(({ shape }) => np.zeros(shape)))
const x = np.array(inputs).reshape(oneHotShape)
const y = np.array(targets).reshape(oneHotShape)
const loss = llamaLoss(ops, config, batch, length)
const differentiated = jit(valueAndGrad((parameters, inputs, targets) => loss(parameters, inputs, targets)))
const squares = jit((gradients) =>
  Object.values(gradients)
    .map((gradient) => np.sum(np.square(gradient)))
    .reduce((a, b) => np.add(a, b)),
)
const update = jit((parameters, gradients, ms, vs, scalars) => {
  const next = weights.map(({ name, shape }) =>
    adamwUpdate(ops, optimizer, shape.length > 1)(parameters[name], gradients[name], ms[name], vs[name], scalars),
  )
  return [0, 1, 2].map((part) => arrays(next.map((values) => values[part])))
})

let state = [arrays(weights.map(({ data, shape }) => np.array(data).reshape(shape))), zeros(), zeros()]
let made = 0
const result = await measureTraining({ items: batch * length, steps }, async () => {
  made++
  const [parameters, ms, vs] = state
  const [value, gradients] = differentiated(references(parameters), x.ref, y.ref)
  const [norm] = await squares(references(gradients)).data()
  const scalars = stepScalars(optimizer, Math.sqrt(norm), made)
  const given = Object.fromEntries(Object.entries(scalars).map(([name, number]) => [name, np.array(number)]))
  state = update(parameters, gradients, ms, vs, given)
  return (await value.data())[0]
})
console.log(JSON.stringify(result))
process.exit(0)
