import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyOf, keysOf } from './questions.mjs'
import * as talk from './small-talk.mjs'

/** The questions and answers of the dialogues in a folder that storyteller may learn. */
export const foundIn = (folder) => [...personality(folder), ...chatterBot(folder)]

const readLines = (folder, name) =>
  readFileSync(join(folder, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).messages)

/** Questions and answers of Personality Chat in one voice. */
function personality(folder) {
  const [friendly, dropped] = [keysOf(talk.friendly), keysOf(talk.dropped)]
  return readLines(folder, 'personality_chat.jsonl').flatMap(([system, { content: ask }, { content: answer }]) => {
    const voice = friendly.has(keyOf(ask)) ? 'friendly' : talk.voice
    return system.content.includes(voice) && !dropped.has(keyOf(ask)) ? [{ ask, answer }] : []
  })
}

/** Questions of ChatterBot and the first answers to them: what follows there are often more answers, and not a conversation. */
function chatterBot(folder) {
  const [kept, dropped] = [keysOf(talk.kept), new Set(talk.droppedAnswers)]
  return readLines(folder, 'chatterbot_english.jsonl').flatMap(([{ content: ask }, { content: answer }]) =>
    kept.has(keyOf(ask)) && !dropped.has(answer) ? [{ ask: proper(ask), answer: proper(answer) }] : [],
  )
}

/** As a sentence: that corpus is written in small letters here and in capitals there. */
function proper(text) {
  const words = text === text.toUpperCase() ? text.toLowerCase() : text
  return words
    .replaceAll(/\bi\b/g, 'I')
    .replace(/^./, (first) => first.toUpperCase())
    .replaceAll(/ {2,}/g, ' ')
}
