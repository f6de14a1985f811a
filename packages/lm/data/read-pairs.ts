import { endOfText } from '../tokenizer/index.js'
import { chatPieces, documentEnd, type Piece, textPiece } from './pieces.js'

const question = /^Q:\s*/i
const answer = /^A:\s*/i

/** Lines looked at to tell questions and answers from running text. */
const lookAhead = 10

/** Whether text is questions and answers: of its first ten lines that hold anything, one begins with `Q:` and a later one with `A:`. */
export function isPairs(start: string): boolean {
  const lines = start
    .slice(0, 1 << 16)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, lookAhead)
  const first = lines.findIndex((line) => question.test(line))
  return first >= 0 && lines.slice(first).some((line) => answer.test(line))
}

/**
 * Questions and answers (`Q: …` and `A: …`, each to the next such line), every pair a conversation of its own between user and assistant.
 * Lines before the first question, and questions without an answer, stay plain text.
 */
export async function* readPairs(lines: AsyncIterable<string>): AsyncGenerator<Piece> {
  let asked: string[] | undefined
  let answered: string[] | undefined
  let plain: string[] = []

  function* flush(): Generator<Piece> {
    if (asked && answered) {
      yield* chatPieces([
        { role: 'user', content: asked.join('\n').trim() },
        { role: 'assistant', content: answered.join('\n').trim() },
      ])
    } else {
      const text = [...plain, ...(asked ? [`Q: ${asked.join('\n')}`] : [])].join('\n').trim()
      if (text !== '') yield* [textPiece(`${text}\n`), documentEnd]
    }
    asked = undefined
    answered = undefined
    plain = []
  }

  for await (const line of lines) {
    if (line === endOfText) yield* flush()
    else if (question.test(line)) {
      yield* flush()
      asked = [line.replace(question, '')]
    } else if (asked && !answered && answer.test(line)) answered = [line.replace(answer, '')]
    else (answered ?? asked ?? plain).push(line)
  }
  yield* flush()
}
