// One sample of TensorFlow.js with its WebAssembly backend: a child process that prints one JSON line.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importPeer, peerFile } from '../harness/import-peer.mjs'
import { arrayCase } from './array-case.mjs'
import { adamwUpdate, llamaLoss, stepScalars } from './llama-arrays.mjs'
import { measureTraining } from './measure.mjs'

const tf = await importPeer('@tensorflow/tfjs')
const { setThreadsCount, setWasmPaths } = await importPeer('@tensorflow/tfjs-backend-wasm')
const { config, batch, length, optimizer, threads, steps, inputs, targets, oneHotShape, weights } = arrayCase()
setWasmPaths(`${dirname(fileURLToPath(peerFile('@tensorflow/tfjs-backend-wasm')))}/`)
setThreadsCount(threads)
await tf.setBackend('wasm')
await tf.ready()

const ops = {
  ...tf,
  constant: tf.tensor,
  matmul: (a, b) => tf.matMul(a, b),
  sum: (x, axes) => (axes ? tf.sum(x, axes, true) : tf.sum(x)),
  max: (x, axes) => tf.max(x, axes, true),
}
const loss = llamaLoss(ops, config, batch, length)
const updates = weights.map(({ shape }) => adamwUpdate(ops, optimizer, shape.length > 1))
const [x, y] = [tf.tensor(inputs, oneHotShape), tf.tensor(targets, oneHotShape)]
let parameters = weights.map(({ data, shape }) => tf.tensor(data, shape))
let ms = weights.map(({ shape }) => tf.zeros(shape))
let vs = weights.map(({ shape }) => tf.zeros(shape))
const named = (values) => Object.fromEntries(weights.map(({ name }, index) => [name, values[index]]))
const differentiated = tf.valueAndGrads((...values) => loss(named(values), x, y))

let made = 0
const result = await measureTraining({ items: batch * length, steps }, async () => {
  made++
  const before = [...parameters, ...ms, ...vs]
  const [value, ...after] = tf.tidy(() => {
    const { value, grads } = differentiated(parameters)
    const norm = Math.sqrt(grads.reduce((total, gradient) => total + tf.sum(tf.square(gradient)).dataSync()[0], 0))
    const scalars = stepScalars(optimizer, norm, made)
    const next = parameters.map((weight, index) => updates[index](weight, grads[index], ms[index], vs[index], scalars))
    return [value, ...next.map(([weight]) => weight), ...next.map(([, m]) => m), ...next.map(([, , v]) => v)]
  })
  const count = parameters.length
  parameters = after.slice(0, count)
  ms = after.slice(count, 2 * count)
  vs = after.slice(2 * count)
  tf.dispose(before)
  return value.dataSync()[0]
})
console.log(JSON.stringify(result))
process.exit(0)
