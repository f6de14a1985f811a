import { fixed, shapeError } from '../ops/define.js'
import type { Tensor } from '../tensor.js'
import { diagonal } from './rearranging.js'

/** A tensor whose dimensions have names: letters, and '0', '1', … for those of an ellipsis, counted from the back. */
interface Labelled {
  readonly tensor: Tensor
  readonly labels: readonly string[]
}

const without = (labels: readonly string[], others: readonly string[]) => labels.filter((label) => !others.includes(label))
const common = (labels: readonly string[], others: readonly string[]) => labels.filter((label) => others.includes(label))

function refuse(equation: string, problem: string, tensors: readonly Tensor[]): never {
  throw shapeError(
    'einsum',
    `'${equation}': ${problem}`,
    tensors.map(({ shape }) => shape),
  )
}

/**
 * Sum of products by Einstein's convention, as `torch.einsum`: `'bij,bjk->bik'` is a batched matrix product, `'ii->i'` a diagonal,
 * `'i,j->ij'` an outer product. Without `->` the result has the letters that occur once, in alphabetical order. `...` stands for
 * leading dimensions that broadcast; a dimension of size 1 broadcasts against any other with its letter. Operands are multiplied
 * from left to right, each pair as one matrix product.
 */
export function einsum(equation: string, ...tensors: Tensor[]): Tensor {
  const { terms, output } = parse(equation, tensors)
  const operands = tensors.map((tensor, i) => onDiagonals({ tensor, labels: terms[i]! }))
  const later = (i: number) => operands.slice(i + 1).flatMap(({ labels }) => labels)
  const product = operands
    .slice(1)
    .reduce<Labelled>((left, right, i) => contract(left, right, [...output, ...later(i + 1)]), operands[0]!)
  return arrange(sumOver(product, without(product.labels, output)), output)
}

function parse(equation: string, tensors: readonly Tensor[]): { terms: string[][]; output: string[] } {
  const fail = (problem: string) => refuse(equation, problem, tensors)
  const [left, right, ...more] = equation.replaceAll(/\s/g, '').split('->')
  const texts = left!.split(',')
  if (more.length > 0) fail("'->' comes more than once")
  if (texts.length !== tensors.length || tensors.length === 0) fail(`names ${texts.length} operands, given ${tensors.length}`)
  let hidden = 0
  const lettersOf = (text: string) => {
    if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(text)) fail(`'${text}' is not made of letters and at most one '...'`)
    return text.split('...').map((part) => [...part])
  }
  const ellipsis = (count: number) => Array.from({ length: count }, (_, i) => String(count - 1 - i))
  const sizes = new Map<string, number>()
  const terms = texts.map((text, i) => {
    const { shape } = tensors[i]!
    const [head, tail] = lettersOf(text)
    const extra = shape.length - head!.length - (tail?.length ?? 0)
    if (extra < 0 || (extra > 0 && !tail)) fail(`operand ${i} has ${shape.length} dimensions, '${text}' names ${head!.length}`)
    hidden = Math.max(hidden, extra)
    const labels = [...head!, ...ellipsis(extra), ...(tail ?? [])]
    for (const [axis, size] of fixed('einsum', shape).entries()) {
      const label = labels[axis]!
      const known = sizes.get(label) ?? 1
      if (known !== 1 && size !== 1 && known !== size) fail(`'${label}' is ${known} in one place and ${size} in another`)
      sizes.set(label, known === 1 ? size : known)
    }
    return labels
  })
  const all = terms.flat()
  if (right === undefined) {
    const once = all.filter((label) => /[A-Za-z]/.test(label) && all.indexOf(label) === all.lastIndexOf(label))
    return { terms, output: [...ellipsis(hidden), ...once.sort()] }
  }
  const [head, tail] = lettersOf(right)
  const output = [...head!, ...(tail ? ellipsis(hidden) : []), ...(tail ?? [])]
  const strange = output.find((label, i) => !all.includes(label) || output.indexOf(label) !== i)
  if (strange) fail(`the result names '${strange}' twice, or no operand has it`)
  return { terms, output }
}

/** A letter that comes twice in one operand walks its diagonal. */
function onDiagonals({ tensor, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i)
  if (second < 0) return { tensor, labels }
  const first = labels.indexOf(labels[second]!)
  const rest = labels.filter((_, i) => i !== first && i !== second)
  return onDiagonals({ tensor: diagonal(tensor, 0, first, second), labels: [...rest, labels[second]!] })
}

const sumOver = ({ tensor, labels }: Labelled, gone: readonly string[]): Labelled =>
  gone.length === 0
    ? { tensor, labels }
    : { tensor: tensor.sum(gone.map((label) => labels.indexOf(label))), labels: without(labels, gone) }

function arrange({ tensor, labels }: Labelled, order: readonly string[]): Tensor {
  if (order.join() === labels.join()) return tensor
  return tensor.permute(order.map((label) => labels.indexOf(label)))
}

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1)

/** Two operands as one: what neither the result nor a later operand needs is summed. */
function contract(a: Labelled, b: Labelled, needed: readonly string[]): Labelled {
  const left = sumOver(a, without(a.labels, [...b.labels, ...needed]))
  const right = sumOver(b, without(b.labels, [...a.labels, ...needed]))
  const shared = common(left.labels, right.labels)
  const batch = common(shared, needed)
  const inner = without(shared, needed)
  const [rows, columns] = [without(left.labels, shared), without(right.labels, shared)]
  const sizeIn = ({ tensor, labels }: Labelled, label: string) => tensor.shape[labels.indexOf(label)] as number
  // What a size-1 dimension broadcasts against is summed before the product.
  const narrowed = (own: Labelled, other: Labelled): Labelled => {
    const wide = inner.filter((label) => sizeIn(own, label) !== 1 && sizeIn(other, label) === 1)
    if (wide.length === 0) return own
    const axes = wide.map((label) => own.labels.indexOf(label))
    return { tensor: own.tensor.sum(axes, { keepDims: true }), labels: own.labels }
  }
  const [x, y] = [narrowed(left, right), narrowed(right, left)]
  const sizes = (own: Labelled, labels: readonly string[]) => labels.map((label) => sizeIn(own, label))
  const matrix = (own: Labelled, first: readonly string[], second: readonly string[]) =>
    arrange(own, [...batch, ...first, ...second]).reshape([
      ...sizes(own, batch),
      product(sizes(own, first)),
      product(sizes(own, second)),
    ])
  const [p, q] = [matrix(x, rows, inner), matrix(y, inner, columns)]
  const result = inner.length === 0 ? p.mul(q) : p.matmul(q)
  const shape = [...result.shape.slice(0, batch.length), ...sizes(x, rows), ...sizes(y, columns)]
  return { tensor: result.reshape(shape), labels: [...batch, ...rows, ...columns] }
}
