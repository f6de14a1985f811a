import { createHash } from 'node:crypto'

/** One question in so many is held out. */
const heldOut = 10

/** Questions that differ in case, spaces and punctuation only are one. */
export const keyOf = (question) => question.toLowerCase().replaceAll(/[^a-z0-9]/g, '') || question
export const keysOf = (questions) => new Set(questions.map(keyOf))
export const isHeld = (question) => createHash('sha256').update(keyOf(question)).digest().readUInt32BE() % heldOut === 0

/** A question as people type it: with and without its mark, in small letters, after a greeting. */
export function typed(question, draw) {
  let text = question
  const chance = draw.number()
  if (chance < 0.2) text = text.replace(/[.?!]$/, '')
  else if (chance < 0.35 && /\w$/.test(text)) text += '!'
  else if (chance < 0.5 && /\w$/.test(text)) text += '.'
  if (draw.happens(0.2)) text = text.toLowerCase()
  if (draw.happens(0.05) && /^[A-Z][a-z]+ .*\?$/.test(question))
    text = `${draw.oneOf(['Hello! ', 'Hi! ', 'Hello, ', 'Hi, ', 'Please, '])}${text}`
  return text
}
