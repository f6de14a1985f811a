import { sampleText } from './sample-text.js'

const questions = ['Who are you?', 'What did the fox see?', 'Where is the king?', 'Hello!', 'What is lost?']
const answers = ['I am a story.', 'The fox saw the ring.', 'The king is on the road.', 'Hello to you!', 'The apple is lost.']

/** Conversations as JSON Lines: a few questions, each with its answer, in varied words. */
export function sampleDialogues(lines: number): string {
  const spoken = sampleText(lines, 7).split('\n')
  return Array.from({ length: lines }, (_, index) => {
    const at = index % questions.length
    const content = index % 3 === 0 ? `${questions[at]} ${spoken[index]}` : questions[at]
    const messages = [
      { role: 'user', content },
      { role: 'assistant', content: answers[at] },
    ]
    return JSON.stringify({ messages })
  }).join('\n')
}
