import { extname } from 'node:path'

// Which program runs an entry file that is not JavaScript.

const interpreters: Readonly<Record<string, readonly string[]>> = {
  '.py': ['python3', '-u', '-B'],
  '.rb': ['ruby'],
  '.pl': ['perl'],
  '.php': ['php'],
  '.lua': ['lua'],
  '.jl': ['julia'],
  '.r': ['Rscript'],
  '.sh': ['sh'],
}

export function isJavaScript(entry: string): boolean {
  return ['.js', '.mjs', '.cjs'].includes(extname(entry).toLowerCase())
}

/** The program and its first arguments; undefined when the file must run by itself. */
export function interpreterOf(entry: string): readonly string[] | undefined {
  return interpreters[extname(entry).toLowerCase()]
}
