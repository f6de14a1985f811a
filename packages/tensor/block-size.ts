import type { HostTensor } from './dtype.js'
import { toOnnx } from './onnx/encode.js'
import type { OpName } from './ops/index.js'
import type { Attributes } from './program.js'
import type { Runtime } from './runtime/index.js'
import { trace } from './trace.js'

const largest = 16

const counting = (shape: readonly number[], step = 1): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => (i * step) % 64),
})

/** The first output of one op, run with fixed numbers. */
async function result(runtime: Runtime, op: OpName, inputs: readonly HostTensor[], attributes: Attributes): Promise<HostTensor> {
  const specs = Object.fromEntries(inputs.map(({ shape }, index) => [`x${index}`, { shape }]))
  const program = trace<string>(specs, (tensors, builder) => ({ y: builder.apply(op, Object.values(tensors), attributes)[0]! }))
  const session = await runtime.createSession(toOnnx(program), { threads: 1, spin: false })
  try {
    const { shape } = program.values[program.outputs[0]!.value]!
    const y = counting(shape as number[])
    const run = session.bind(Object.fromEntries(inputs.map((tensor, index) => [`x${index}`, tensor])), { y })
    try {
      await run.run()
    } finally {
      run.release()
    }
    return y
  } finally {
    session.release()
  }
}

/**
 * Reorders an image of two positions and sees where its second position went; then convolves one image in blocks, with a
 * weight that comes with the run, and compares with the plain convolution of whole numbers, which is exact.
 */
async function probe(runtime: Runtime): Promise<number> {
  try {
    const image = counting([1, largest, 1, 2])
    const reordered = await result(runtime, 'toBlocked', [image], { block: largest })
    const block = Array.from(reordered.data as Float32Array).indexOf(1)
    if (block !== 8 && block !== 16) return 0
    const weight = counting([largest, largest, 1, 1], 7)
    const settings = { stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1] }
    const plain = await result(runtime, 'conv', [image, weight], { ...settings, groups: 1 })
    const blocked = await result(runtime, 'toBlocked', [image], { block })
    const convolved = await result(runtime, 'blockedConv', [blocked, weight], { ...settings, shift: false, relu: false, block })
    const back = await result(runtime, 'fromBlocked', [convolved], {})
    return (back.data as Float32Array).every((value, index) => value === plain.data[index]) ? block : 0
  } catch {
    // A build without these kernels refuses the model.
    return 0
  }
}

// One answer for each runtime: the kernels do not change while a process lives.
const known = new WeakMap<Runtime, Promise<number>>()

/** How many channels the processor's convolution kernels take in one block; 0 where the runtime has no such kernels here. */
export function blockSize(runtime: Runtime): Promise<number> {
  let size = known.get(runtime)
  if (!size) known.set(runtime, (size = probe(runtime)))
  return size
}
