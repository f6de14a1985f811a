// Makes the text of storyteller's tuning: node dialogues.mjs <dialogs> <stories/train.txt> <out>
//
//   <out>/talk.jsonl   small dialogues, as often as `times` says, and the first part of the stories, so that it goes on telling them
//   <out>/held.jsonl   dialogues whose first question is in none of the others: to measure what was learned
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const times = 8
/** Characters of stories: about two windows of these for one of dialogues. */
const storyLength = 4_000_000
/** One question in so many is held out. */
const heldOut = 20

const [dialogs, stories, out] = process.argv.slice(2)

/** Without what a system message says of the assistant's manners; the humorous ones are left out, since manners are all they differ by. */
function plain({ messages }) {
  const [first, ...rest] = messages
  if (first.role !== 'system') return messages
  return first.content.includes('humorous') ? [] : rest
}

const lines = ['chatterbot_english.jsonl', 'personality_chat.jsonl']
  .flatMap((name) => readFileSync(join(dialogs, name), 'utf8').trim().split('\n'))
  .map((line) => plain(JSON.parse(line)))
  .filter((messages) => messages.length > 1)
  .map((messages) => JSON.stringify({ messages }))
const talks = [...new Set(lines)]

/** The same for questions that differ in case, spaces and punctuation only. */
const question = (line) => JSON.parse(line).messages[0].content.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
const isHeld = (line) => createHash('sha256').update(question(line)).digest().readUInt32BE() % heldOut === 0
const told = readFileSync(stories, 'utf8')
  .slice(0, storyLength)
  .split(/^<\|endoftext\|>\n/m)
  .slice(0, -1)
  .map((text) => JSON.stringify({ text }))

mkdirSync(out, { recursive: true })
const learned = talks.filter((line) => !isHeld(line))
const held = talks.filter(isHeld)
writeFileSync(join(out, 'talk.jsonl'), `${[...told, ...Array(times).fill(learned).flat()].join('\n')}\n`)
writeFileSync(join(out, 'held.jsonl'), `${held.join('\n')}\n`)
console.log(`${learned.length} dialogues, ${times} times; ${told.length} stories; ${held.length} dialogues held out`)
