import { suggestion } from '../suggest.js'
import type { Conversation } from './conversation.js'

interface SlashCommand {
  readonly name: string
  readonly usage: string
  readonly text: string
  /** What to show. */
  run(conversation: Conversation, rest: string): string
}

const table: readonly SlashCommand[] = [
  { name: 'help', usage: '/help', text: 'show this', run: () => help() },
  {
    name: 'clear',
    usage: '/clear',
    text: 'forget what was said',
    run(conversation) {
      conversation.clear()
      return 'Forgotten. A new beginning.'
    },
  },
  {
    name: 'system',
    usage: '/system <text>',
    text: 'say what stands before every conversation; without text, show it; - removes it',
    run(conversation, rest) {
      if (rest === '') return conversation.system ?? 'There is no system text.'
      conversation.system = rest === '-' ? undefined : rest
      return conversation.system === undefined ? 'Removed.' : 'Set.'
    },
  },
  {
    name: 'stats',
    usage: '/stats',
    text: 'how much was said, and how fast',
    run({ model, stats: { answers, tokens, tokensPerSecond, messages } }) {
      return `${model}: ${answers} answers, ${tokens} tokens, the last at ${Math.round(tokensPerSecond)} a second; ${messages} messages remembered`
    },
  },
]

/** Words that leave, as the seed documents have them. */
const leaving = new Set(['quit', 'exit', 'q', '/quit', '/exit'])

/** What a line is: a way out, a command for us with its answer, nothing, or something to say to the model. */
type Line = { readonly kind: 'leave' | 'empty' | 'say' } | { readonly kind: 'shown'; readonly text: string }

export function readLine(line: string, conversation: Conversation): Line {
  const text = line.trim()
  if (text === '') return { kind: 'empty' }
  if (leaving.has(text.toLowerCase())) return { kind: 'leave' }
  if (!text.startsWith('/')) return { kind: 'say' }
  const [word = '', ...rest] = text.slice(1).split(' ')
  const found = table.find(({ name }) => name === word.toLowerCase())
  if (found) return { kind: 'shown', text: found.run(conversation, rest.join(' ').trim()) }
  const names = table.map(({ name }) => name)
  return { kind: 'shown', text: `There is no /${word}${suggestion(word, names) || '. /help shows what there is'}` }
}

function help(): string {
  const width = Math.max(...table.map(({ usage }) => usage.length))
  const lines = table.map(({ usage, text }) => `  ${usage.padEnd(width)}  ${text}`)
  return [...lines, `  ${'quit'.padEnd(width)}  leave (also exit, q, Ctrl-D); Ctrl-C stops an answer`].join('\n')
}

/** Completes `/he` to `/help`, for the Tab key. */
export function completeSlash(line: string): [string[], string] {
  return [line.startsWith('/') ? table.map(({ name }) => `/${name}`).filter((name) => name.startsWith(line)) : [], line]
}
