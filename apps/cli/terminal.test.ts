import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place, sampleText, tiny } from './enigma.test.fixture.js'
import { control, hasPseudoTerminal, play } from './pseudo-terminal.test.fixture.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
  await place.write('text.txt', sampleText(1200))
  const made = await place.run(['train', '--data', 'text.txt', ...tiny, '--steps', '5', '--out', 'story'])
  if (made.code !== 0) throw new Error(made.stderr)
})
afterAll(() => place[Symbol.asyncDispose]())

describe.skipIf(!hasPseudoTerminal())('chat at a terminal (needs python3 with pty)', () => {
  it('welcomes, answers, knows its commands, and leaves with quit', async () => {
    const { screen, code } = await play(
      place,
      ['chat', 'story', '-n', '8'],
      [
        ['You: ', 'Once upon a time\r'],
        ['tokens, ', '/help\r'],
        ['/system <text>', '/stats\r'],
        ['1 answers', '/claer\r'],
        ["Did you mean 'clear'", 'quit\r'],
      ],
    )
    expect(screen).toMatch(/you are talking to story/)
    expect(screen).toContain('Once upon a time')
    expect(screen).toContain('Bye.')
    expect(code).toBe(0)
  })

  it('stops an answer at Ctrl-C, and leaves at the second', async () => {
    const { screen, code } = await play(
      place,
      ['chat', 'story', '--no-cache'],
      [
        ['You: ', 'The king\r'],
        ['story: ', control.c],
        ['stopped', control.c],
      ],
    )
    expect(screen).toContain('Bye.')
    expect(code).toBe(0)
  })

  it('warns at a Ctrl-C without an answer, and leaves at Ctrl-D', async () => {
    const { screen } = await play(
      place,
      ['chat', 'story'],
      [
        ['You: ', control.c],
        ['Ctrl-C again', control.d],
      ],
    )
    expect(screen).toContain('Bye.')
  })

  it('remembers what was typed in earlier chats', async () => {
    await play(
      place,
      ['chat', 'story', '-n', '2'],
      [
        ['You: ', 'A golden bird\r'],
        ['tokens, ', 'quit\r'],
      ],
    )
    const { screen } = await play(
      place,
      ['chat', 'story', '-n', '2'],
      [
        ['You: ', '\x1b[A\x1b[A'],
        ['A golden bird', '\r'],
        ['tokens, ', control.d],
      ],
    )
    expect(screen).toContain('A golden bird')
  })
})
