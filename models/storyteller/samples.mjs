// Prints what storyteller answers, as the model card shows it: node samples.mjs [model folder]
//
// Every text is made by the command line with its defaults, and a seed: its number.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const enigma = fileURLToPath(new URL('../../apps/cli/bin/enigma.js', import.meta.url))
const model = process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url))

/** Each is the first message of a conversation. */
const messages = [
  'Hello!',
  'Hi',
  'How are you?',
  'Good morning!',
  'What is your name?',
  'Who are you?',
  'Nice to meet you.',
  'Hey there, how is it going?',
  'Thanks!',
  'Good night',
  'Can you help me?',
  'What can you do?',
  'Are you a robot?',
  'How old are you?',
  'Where do you live?',
  "What's up?",
  'My name is Clara.',
  'I am sad today.',
  'Tell me a joke',
  'Goodbye!',
  'I am bored.',
  'Do you like music?',
  'Do you have any friends?',
  'What is the capital of France?',
  'What is 7 + 5?',
  'Can you write a poem about the sea?',
  'What did you have for breakfast?',
  'I just got a new puppy!',
  'Tell me something.',
  'You are funny!',
]

/** Stories that are asked for. */
const requests = [
  'Tell me a story.',
  'Tell me a story about a fox.',
  'Tell me a story about a king and his daughter.',
  'Can you tell me a story about a wolf and a lamb?',
  'A story about a witch, please.',
  'Tell me a fairy tale.',
  'I want a story about a bear.',
  'Tell me a bedtime story.',
  'Write a story about a mouse.',
  'Tell me a story about a dragon.',
]

/** Stories that are begun. */
const beginnings = [
  'Once upon a time',
  'Once upon a time there was a little girl',
  'There was once a king who had three sons.',
  'A Fox one day',
  'In a deep forest there lived',
  '"Who is there?" cried the old woman.',
  'The Lion and the Mouse\n\n',
  'The princess looked out of the window and',
  'Long, long ago, when the world was young,',
  'Peter Rabbit ran as fast as he could',
]

function ask(args, input) {
  const output = execFileSync(process.execPath, [enigma, ...args, '--model', model, '--json'], {
    input,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return JSON.parse(String(output)).text.trim()
}
const quoted = (text) =>
  text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')
const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/\n+/g, ' ')

console.log('| Seed | Message | Answer |\n|---|---|---|')
for (const [at, message] of messages.entries())
  console.log(`| ${at + 1} | ${cell(message)} | ${cell(ask(['chat', '--seed', `${at + 1}`], `${message}\n`))} |`)
for (const [at, request] of requests.entries())
  console.log(`\n**Seed ${at + 1}.** *${request}*\n\n${quoted(ask(['chat', '--seed', `${at + 1}`], `${request}\n`))}`)
for (const [at, beginning] of beginnings.entries()) {
  const seed = `${requests.length + at + 1}`
  const text = ask(['run', beginning, '--seed', seed, '--max-tokens', '80'], '')
  console.log(`\n**Seed ${seed}.** *${beginning.trim()}*\n\n${quoted(text)}`)
}
