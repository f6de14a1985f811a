import { type Dims, flopsOf, type InputSpec, type Node, Tensor } from '@enigma/tensor'
import type { Layer } from './layer.js'
import type { Parameter } from './parameter.js'
import { traceNetwork } from './trace-network.js'

/** One use of a layer in a forward pass. */
export interface LayerSummary {
  /** Path in the network, `layers.0`; empty for the network itself. */
  readonly name: string
  /** The class: `Linear`. */
  readonly type: string
  /** How many layers it is in. */
  readonly depth: number
  readonly inputShapes: readonly Dims[]
  readonly outputShape: Dims
  /** Numbers in all its parameters, those of its sub-layers included. */
  readonly parameters: number
  /** Of these, not frozen. */
  readonly trainable: number
  /** Floating-point operations of its forward pass; a multiplication and an addition are two. */
  readonly flops: number
}

export interface NetworkSummary {
  /** In order of use; a layer that is used twice stands twice. */
  readonly layers: readonly LayerSummary[]
  readonly parameters: number
  readonly trainable: number
  /** Bytes of parameters and buffers. */
  readonly bytes: number
  /** Of one forward pass. */
  readonly flops: number
  /** A table. */
  toString(): string
}

/** Numbers in parameters, shared ones once. */
const count = (layer: Layer, counted: (parameter: Parameter) => boolean = () => true) =>
  [...new Set(layer.parameters())].filter(counted).reduce((sum, { size }) => sum + size, 0)

const short = (value: number) => {
  const units = ['', 'k', 'M', 'G', 'T', 'P']
  const step = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3))
  return step === 0 ? String(value) : `${(value / 1000 ** step).toPrecision(3)} ${units[step]}`
}
const shape = (dims: Dims) => `[${dims.join(', ')}]`

function table({ layers, parameters, trainable, bytes, flops }: Omit<NetworkSummary, 'toString'>): string {
  const rows = [
    ['Layer', 'Output', 'Parameters', 'FLOPs'],
    ...layers.map((layer) => [
      `${'  '.repeat(layer.depth)}${layer.name === '' ? '' : `${layer.name.split('.').at(-1)}: `}${layer.type}`,
      shape(layer.outputShape),
      layer.parameters === 0 ? '' : layer.parameters.toLocaleString('en-US'),
      layer.flops === 0 ? '' : short(layer.flops),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => (column < 2 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  const frozen = trainable === parameters ? '' : `, ${trainable.toLocaleString('en-US')} trainable`
  return [
    line(rows[0]!),
    '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)),
    ...rows.slice(1).map(line),
    `${parameters.toLocaleString('en-US')} parameters${frozen}, ${short(bytes)}B, ${short(flops)}FLOPs forward`,
  ].join('\n')
}

/**
 * What a network consists of, by one traced forward pass in evaluation: nothing is computed.
 * @throws TensorError SHAPE_MISMATCH when the inputs do not fit
 */
export function summarize(net: Layer, inputs: readonly InputSpec[]): NetworkSummary {
  const paths = new Map([...net.namedLayers()].map(([name, layer]) => [layer, name]))
  const uses: (Omit<LayerSummary, 'flops'> & { readonly nodes: readonly Node[] })[] = []
  const restore: (() => void)[] = []
  let depth = 0
  for (const [layer, name] of paths) {
    const before = Object.getOwnPropertyDescriptor(layer, 'forward')
    const forward = layer.forward.bind(layer) as (...inputs: unknown[]) => Tensor
    const observed = (...given: unknown[]): Tensor => {
      const tensors = given.filter((input) => input instanceof Tensor)
      const nodes = tensors[0]?.builder.nodes
      const [place, from] = [uses.length, nodes?.length ?? 0]
      const own = { name, type: layer.constructor.name, depth, inputShapes: tensors.map((tensor) => tensor.shape) }
      uses.push({ ...own, outputShape: [], parameters: 0, trainable: 0, nodes: [] })
      depth++
      try {
        const output = forward(...given)
        uses[place] = {
          ...own,
          outputShape: output.shape,
          parameters: count(layer),
          trainable: count(layer, ({ requiresGrad }) => requiresGrad),
          nodes: output.builder.nodes.slice(from),
        }
        return output
      } finally {
        depth--
      }
    }
    Object.defineProperty(layer, 'forward', { value: observed, writable: true, configurable: true, enumerable: false })
    restore.push(() => {
      if (before) Object.defineProperty(layer, 'forward', before)
      else delete (layer as { forward?: unknown }).forward
    })
  }
  try {
    const specs = Object.fromEntries(inputs.map((spec, index) => [`x${index}`, spec]))
    const run = net.forward as (...inputs: Tensor[]) => Tensor
    const { program } = traceNetwork<string>(specs, (tensors) => ({ y: run(...inputs.map((_, index) => tensors[`x${index}`]!)) }))
    const layers = uses.map(({ nodes, ...use }) => ({ ...use, flops: flopsOf(program, nodes) }))
    const summary = {
      layers,
      parameters: count(net),
      trainable: count(net, ({ requiresGrad }) => requiresGrad),
      bytes: Object.values(net.stateDict()).reduce((sum, { data }) => sum + data.byteLength, 0),
      flops: flopsOf(program),
    }
    const text = table(summary)
    return Object.defineProperties(
      { ...summary, toString: () => text },
      { toString: { enumerable: false }, [Symbol.for('nodejs.util.inspect.custom')]: { value: () => text, enumerable: false } },
    )
  } finally {
    for (const undo of restore) undo()
  }
}
