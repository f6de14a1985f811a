import type { LanguageModelService } from 'enigma'
import { count } from '../output/format.js'
import type { Output } from '../output/output.js'

/** The first screen: who speaks, what it can do, what to type. */
export function welcome({ name, size, parameters, contextLength }: LanguageModelService, out: Output): string {
  const { color } = out
  const what = [size, `${count(parameters)} parameters`, `sees ${count(contextLength)} tokens`].filter(Boolean).join(', ')
  return [
    '',
    `  ${color.bold('Enigma')}  ${color.dim('·')}  you are talking to ${color.bold(name)} ${color.dim(`(${what})`)}`,
    '',
    '  It goes on with the text you begin: it was trained on stories, and is at its best with a story.',
    `  Try:  ${color.cyan('Once upon a time')}`,
    '',
    color.dim('  /help shows commands · Ctrl-C stops an answer · quit leaves'),
    '',
  ].join('\n')
}
