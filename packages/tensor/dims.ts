import type { Dim } from './program.js'

/** A size as a product: `'batch*16'` is 16 times a size that is known only when the program runs. */
export interface Product {
  readonly symbols: readonly string[]
  readonly factor: number
}

export function productOf(dims: readonly Dim[]): Product {
  const symbols: string[] = []
  let factor = 1
  for (const dim of dims) {
    if (typeof dim === 'number') factor *= dim
    else
      for (const part of dim.split('*'))
        if (/^\d+$/.test(part)) factor *= Number(part)
        else symbols.push(part)
  }
  return { symbols: symbols.sort(), factor }
}

export function dimOf({ symbols, factor }: Product): Dim {
  if (symbols.length === 0 || factor === 0) return factor
  return [...symbols, ...(factor === 1 ? [] : [factor])].join('*')
}

/** a / b, if that is a product again. */
export function quotient(a: Product, b: Product): Product | undefined {
  const rest = [...a.symbols]
  for (const symbol of b.symbols) {
    const at = rest.indexOf(symbol)
    if (at < 0) return undefined
    rest.splice(at, 1)
  }
  const factor = a.factor / b.factor
  return Number.isInteger(factor) ? { symbols: rest, factor } : undefined
}

/** A size with symbols replaced by what is known of them. */
export function substitute(dim: Dim, sizes: ReadonlyMap<string, Dim>): Dim {
  if (typeof dim === 'number') return dim
  return dimOf(productOf(dim.split('*').map((part) => (/^\d+$/.test(part) ? Number(part) : (sizes.get(part) ?? part)))))
}
