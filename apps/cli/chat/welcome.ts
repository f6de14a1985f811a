import type { LanguageModelService } from 'enigma'
import { count } from '../output/format.js'
import type { Output } from '../output/output.js'

/** The first screen: who speaks, what it can do, what to type. */
export function welcome({ name, size, parameters, contextLength }: LanguageModelService, out: Output): string {
  const what = [size, `${count(parameters)} parameters`, `sees ${count(contextLength)} tokens`].filter(Boolean).join(', ')
  return screen(name, what, out, [
    '  Say hello, or ask for a story: small models know little else.',
    `  Try:  ${out.color.cyan('Hello!')}  ${out.color.dim('·')}  ${out.color.cyan('Tell me a story about a fox')}`,
    '',
  ])
}

/** The same for a model that another module runs, or asks. */
export function welcomeElsewhere(model: string, module: string, out: Output): string {
  return screen(model, `by the module ${module}`, out, [])
}

function screen(name: string, what: string, { color }: Output, lines: readonly string[]): string {
  return [
    '',
    `  ${color.bold('Enigma')}  ${color.dim('·')}  you are talking to ${color.bold(name)} ${color.dim(`(${what})`)}`,
    '',
    ...lines,
    color.dim('  /help shows commands · Ctrl-C stops an answer · quit leaves'),
    '',
  ].join('\n')
}
