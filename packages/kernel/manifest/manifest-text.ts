import type { Node } from 'yaml'
import { messageOf } from '../errors.js'
import { yaml } from '../on-demand.js'
import { type Problem, problem } from './problem.js'

// The text of a YAML (or JSON) file that anybody may have written: bytes → data, with the line of every key. What a file can do
// to its reader (bombs of aliases, cycles, nesting, invisible characters) is refused here, so that the rest may trust the tree.

/** Bytes; a manifest is a few thousand. Reading so much of the worst text takes under two seconds. */
export const maxTextBytes = 2 ** 18
const maxDepth = 64
/** Nodes that aliases may add to what is written. */
const maxExpanded = 10_000
/** A file with more problems than this is no manifest. */
const maxProblems = 20

/** Control characters, and those that turn the direction of text: both can make a terminal show what is not there. */
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\0-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/

export type TextResult =
  | { readonly ok: true; readonly value: unknown; readonly lineOf: LineOf }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** The line (from 1) of the deepest key on the path that is written in the file, and how deep that is. */
export type LineOf = (path: readonly string[]) => { readonly line: number; readonly depth: number }

/** Never throws: everything wrong is a problem with its line. */
export function readText(source: string | Uint8Array): TextResult {
  const text = typeof source === 'string' ? source : decode(source)
  if (typeof text !== 'string') return failed(text)
  if (text.length > maxTextBytes) return failed(tooLarge(text.length))
  const found = hidden.exec(text.replaceAll('\r\n', ' \n'))
  if (found) return failed(strange(text, found.index))
  try {
    return parse(text)
  } catch (error) {
    return failed(problem([], `not readable as YAML: ${inWords(messageOf(error))}`, { line: 1 }))
  }
}

/** What to say of a file that is over the limit, without reading it. */
export function tooLarge(bytes: number): Problem {
  return problem([], `the file has ${bytes} bytes; at most ${maxTextBytes} are read`, { line: 1 })
}

function parse(text: string): TextResult {
  const { LineCounter, parseDocument, isNode } = yaml()
  const counter = new LineCounter()
  // Keys are compared here, in linear time; the parser would compare each with each.
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: false, prettyErrors: false })
  const at = (node: unknown) => (isNode(node) && node.range ? counter.linePos(node.range[0]).line : 1)
  const broken = [...document.errors.slice(0, maxProblems), ...document.warnings.slice(0, maxProblems)]
  if (broken.length > 0)
    return failed(
      ...broken.map(({ message, pos }) =>
        problem([], `not readable as YAML: ${inWords(message)}`, { line: counter.linePos(pos[0]).line || 1 }),
      ),
    )
  const problems = inspect(document.contents, at)
  if (problems.length > 0) return failed(...problems)
  return { ok: true, value: document.toJS({ maxAliasCount: -1 }), lineOf: (path) => lineOf(document.contents, path, at) }
}

// The parser recurses: what is nested beyond its stack ends in a RangeError before the depth is known.
function inWords(message: string): string {
  return /call stack/i.test(message) ? 'it is nested too deeply' : message.split('\n')[0]!
}

function failed(...problems: readonly Problem[]): TextResult {
  return { ok: false, problems }
}

function decode(bytes: Uint8Array): string | Problem {
  if (bytes.length > maxTextBytes) return tooLarge(bytes.length)
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return problem([], 'the file is UTF-16; save it as UTF-8', { line: 1 })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const text = new TextDecoder('utf-8').decode(bytes)
    return problem([], 'the file is not UTF-8 text; save it as UTF-8', { line: lineAt(text, text.indexOf('\ufffd')) })
  }
}

function strange(text: string, index: number): Problem {
  const line = lineAt(text, index)
  if (text[index] === '\0') return problem([], 'the file is binary or UTF-16; save it as UTF-8 text', { line })
  return problem([], `invisible character ${codePoint(text.charCodeAt(index))}; remove it`, { line })
}

function visible(text: string): string {
  return text.replace(new RegExp(hidden, 'g'), '\ufffd')
}

function codePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

function lineAt(text: string, index: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < index; i = text.indexOf('\n', i + 1)) line++
  return line
}

/** Walks the tree once, in the order it is written. */
function inspect(root: unknown, at: (node: unknown) => number): Problem[] {
  const { isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq } = yaml()
  const problems: Problem[] = []
  const anchors = new Map<string, { node: Node; size: number }>()
  let expanded = 0
  const report = (path: readonly string[], message: string, node: unknown) => {
    if (problems.length < maxProblems) problems.push(problem(path.map(visible), visible(message), { line: at(node) }))
  }

  /** Nodes in the subtree, aliases counted in full. */
  const walk = (node: unknown, path: readonly string[], above: readonly Node[]): number => {
    if (problems.length >= maxProblems || node === null || !isNode(node)) return 1
    if (isAlias(node)) return alias(node.source, node, path, above)
    const { anchor } = node as { anchor?: string }
    const entry = { node, size: 0 }
    if (anchor !== undefined) anchors.set(anchor, entry)
    if (isScalar(node)) scalar(node.value, node, path)
    else if (above.length >= maxDepth) report(path, `it is nested deeper than ${maxDepth} levels`, node)
    else if (isCollection(node)) entry.size += children(node, path, [...above, node])
    entry.size += 1
    return entry.size
  }

  const alias = (source: string, node: Node, path: readonly string[], above: readonly Node[]): number => {
    const target = anchors.get(source)
    if (target === undefined) report(path, `alias *${source} names no anchor before it`, node)
    else if (above.includes(target.node)) report(path, `alias *${source} contains itself`, node)
    else {
      expanded += target.size
      if (expanded > maxExpanded) report(path, `alias *${source} makes the file grow beyond ${maxExpanded} entries`, node)
      return target.size
    }
    return 1
  }

  const children = (node: Node, path: readonly string[], above: readonly Node[]): number => {
    let size = 0
    if (isSeq(node)) for (const [i, item] of node.items.entries()) size += walk(item, [...path, String(i)], above)
    if (!isMap(node)) return size
    const seen = new Set<string>()
    for (const pair of node.items) {
      const name = isPair(pair) && isScalar(pair.key) ? pair.key.value : undefined
      if (typeof name !== 'string') report(path, "a key that is no text; put it in quotes, as in '1': x", pair.key ?? node)
      else {
        const inner = [...path, name]
        if (seen.has(name)) report(inner, `key '${inner.join('.')}' is there twice; remove one`, pair.key)
        if (name === '__proto__') report(inner, "'__proto__' is no key; remove it", pair.key)
        seen.add(name)
        scalar(name, pair.key, inner)
        size += walk(pair.value, inner, above)
      }
    }
    return size
  }

  const scalar = (value: unknown, node: unknown, path: readonly string[]) => {
    if (typeof value === 'string') {
      const found = hidden.exec(value)
      if (found) report(path, `'${path.join('.')}' has the invisible character ${codePoint(found[0].charCodeAt(0))}`, node)
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) report(path, `'${path.join('.')}' is no finite number`, node)
    } else if (value !== null && typeof value !== 'boolean')
      report(path, `'${path.join('.')}' is neither text, number, true, false nor null`, node)
  }

  walk(root, [], [])
  return problems
}

function lineOf(root: unknown, path: readonly string[], at: (node: unknown) => number): { line: number; depth: number } {
  const { isMap, isScalar, isSeq } = yaml()
  let node = root
  let line = at(root)
  let depth = 0
  for (const name of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === name)
      if (!pair) break
      line = at(pair.key)
      node = pair.value
    } else if (isSeq(node) && node.items[Number(name)] !== undefined) {
      node = node.items[Number(name)]
      line = at(node)
    } else break
    depth++
  }
  return { line, depth }
}
