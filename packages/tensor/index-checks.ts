import { callerLine } from './caller-line.js'
import type { HostTensor } from './dtype.js'
import { TensorError } from './errors.js'
import { opTable } from './ops/index.js'
import { producers } from './passes/uses.js'
import type { Program } from './program.js'

/** Numbers that a program takes for indices as they come, and what they must be. */
export interface IndexCheck {
  readonly op: string
  /** Name of the program's input that holds them. */
  readonly input: string
  /** How many there are to choose from: 0 … rows-1. */
  readonly rows: number
  /** What stands for none. */
  readonly none?: number
}

/** Ops that pass on all they are given, so that a wrong index behind them is a wrong index. */
const passing: ReadonlySet<string> = new Set(['reshape', 'transpose', 'broadcastTo', 'cast', 'stopGradient', 'checkpoint'])

/** For a value of whole numbers the one whose elements it has, in another order or shape or repeated. */
export function sources(program: Program): (value: number) => number {
  const made = producers(program)
  const source = (id: number): number => {
    const node = made.get(id)
    const from = node?.inputs[0]
    return node && from !== undefined && passing.has(node.op) && program.values[from]!.dtype !== 'f32' ? source(from) : id
  }
  return source
}

/**
 * What to check before each run: native kernels take a negative index from the end and thus -1 for the last row, and what
 * they say of others names neither the op nor the tensor.
 *
 * @throws TensorError INVALID_ARGUMENT for a constant index out of range
 */
export function indexChecks(program: Program): readonly IndexCheck[] {
  const inputs = new Map(program.inputs.map(({ name, value }) => [value, name]))
  const constants = new Map(program.constants.map(({ value, data }) => [value, data]))
  const source = sources(program)
  const checks = new Map<string, IndexCheck>()
  for (const { op, inputs: operands, attributes } of program.nodes) {
    const values = operands.map((id) => program.values[id]!)
    const range = opTable[op].indices?.(values, attributes)
    if (!range || typeof range.rows !== 'number') continue
    const { rows, none } = range
    const id = source(operands[1]!)
    const check = { op, input: inputs.get(id) ?? 'constant', rows, ...(none !== undefined && { none }) }
    const constant = constants.get(id)
    if (constant) checkIndices(check, constant)
    const key = `${id} ${rows} ${none}`
    // The first is what the caller wrote; others are its derivatives.
    if (inputs.has(id) && !checks.has(key)) checks.set(key, check)
  }
  return [...checks.values()]
}

/** @throws TensorError INVALID_ARGUMENT naming the op, the first index out of range and where it stands */
export function checkIndices({ op, input, rows, none }: IndexCheck, data: HostTensor['data']): void {
  // Reading halves is a hundred times faster than reading BigInts: an index is what has nothing in its upper half.
  const wide = data instanceof BigInt64Array
  const numbers = wide ? new Int32Array(data.buffer, data.byteOffset, data.length * 2) : (data as Int32Array)
  const step = wide ? 2 : 1
  for (let i = 0; i < numbers.length; i += step) {
    const index = numbers[i]!
    if (index >= 0 && index < rows && (!wide || numbers[i + 1] === 0)) continue
    const position = i / step
    if (none !== undefined && Number(data[position]) === none) continue
    throw new TensorError(
      'INVALID_ARGUMENT',
      `${op}: index ${data[position]} at position ${position} of '${input}' is out of range: there are ${rows} rows, 0 … ${rows - 1}.${callerLine()}`,
    )
  }
}
