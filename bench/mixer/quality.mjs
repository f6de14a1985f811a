// One sample of quality: trains a byte model on the stories and prints its bits per byte on other ones, as one JSON line.
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { init, losses, optim } from '../../packages/nn/dist/index.js'
import { ByteModel } from './model.mjs'

const { values } = parseArgs({
  options: Object.fromEntries(
    ['kind', 'data', 'steps', 'batch', 'length', 'threads', 'seed', 'lr'].map((name) => [name, { type: 'string' }]),
  ),
})
const [steps, batch, length, threads, seed, lr] = ['steps', 'batch', 'length', 'threads', 'seed', 'lr'].map((name) =>
  Number(values[name]),
)
const warmup = Math.ceil(steps / 20)
/** Windows of the validation text that are measured. */
const validWindows = 256

function open(name) {
  const file = `${values.data}/${name}`
  const handle = openSync(file, 'r')
  const read = (at) => {
    const bytes = new Uint8Array(length + 1)
    readSync(handle, bytes, 0, length + 1, at)
    return bytes
  }
  return { size: statSync(file).size, read, close: () => closeSync(handle) }
}

/** A batch of windows: x the bytes, y those that follow. */
function batchOf(windows) {
  const tensor = (from) => ({
    dtype: 'i64',
    shape: [windows.length, length],
    data: BigInt64Array.from(windows.flatMap((bytes) => Array.from(bytes.subarray(from, from + length), BigInt))),
  })
  return { x: tensor(0), y: tensor(1) }
}

const net = new ByteModel(values.kind, seed)
const train = open('train.txt')
const valid = open('valid.txt')
const random = new init.Random(seed + 7)
const schedule = optim.schedules.cosine({ learningRate: lr, steps, warmup, final: 0.1 })
const step = await net.compileStep({
  loss: (output, target) => losses.crossEntropy(output, target.reshape([-1])),
  optimizer: optim.adamw({ lr, betas: [0.9, 0.95], weightDecay: 0.1 }),
  clipNorm: 1,
  threads,
})
const next = () =>
  batchOf(Array.from({ length: batch }, () => train.read(Math.floor(random.uniform() * (train.size - length - 1)))))

let first
let recent = 0
const curve = []
const start = performance.now()
for (let i = 0; i < steps; i++) {
  const { loss } = await step(next(), schedule(i))
  first ??= loss
  recent += loss
  if ((i + 1) % Math.ceil(steps / 10) === 0 || i + 1 === steps) {
    curve.push(Number((recent / (((i % Math.ceil(steps / 10)) + 1) * Math.LN2)).toFixed(4)))
    recent = 0
  }
}
const seconds = (performance.now() - start) / 1000
await step.close()

// Logits of windows side by side over the text; each byte counts once.
const stride = Math.max(length, Math.floor((valid.size - length - 1) / validWindows))
const places = []
for (let at = 0; at + length + 1 <= valid.size && places.length < validWindows; at += stride) places.push(at)
let nats = 0
let bytes = 0
for (let from = 0; from + batch <= places.length; from += batch) {
  const { x, y } = batchOf(places.slice(from, from + batch).map(valid.read))
  const { data } = await net.predict(x)
  for (let row = 0; row < batch * length; row++) {
    const logits = data.subarray(row * 256, (row + 1) * 256)
    const most = logits.reduce((a, b) => Math.max(a, b))
    nats += most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) - logits[Number(y.data[row])]
    bytes++
  }
}
await net.release()
train.close()
valid.close()
const { user, system } = process.cpuUsage()
console.log(
  JSON.stringify({
    bitsPerByte: nats / bytes / Math.LN2,
    firstLoss: first,
    parameters: net.parameterCount(),
    bytesPerSecond: (steps * batch * length) / seconds,
    validBytes: bytes,
    curve,
    cpuMs: (user + system) / 1000,
    rssMb: process.resourceUsage().maxRSS / 1024,
  }),
)
