import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

// What `run` can ask for, with the model that ships.

let place: Place
beforeAll(async () => {
  place = await Place.make()
  await place.write(
    'fox.json',
    '{"type":"object","properties":{"age":{"type":"integer","minimum":1,"maximum":9}},"required":["age"]}',
  )
  await place.write('tools.json', '[{"type":"function","function":{"name":"clock"}}]')
  await place.write('broken.json', '{')
})
afterAll(() => place[Symbol.asyncDispose]())

const greedy = ['-n', '8', '-t', '0', '--threads', '1']

describe('run', () => {
  it('writes JSON that is valid under a schema', async () => {
    const { code, stdout, stderr } = await place.run([
      'run',
      'The fox as JSON: ',
      '--json-schema',
      'fox.json',
      '-n',
      '30',
      '-s',
      '1',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ age: expect.any(Number) })
    const small = await place.run(['run', 'x', '--json-schema', 'fox.json', '-n', '1'])
    expect(small).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: The shortest value .* room for 1/) })
  })

  it('gives several texts, beams, and probabilities', async () => {
    const choices = await place.json<{ text: string }[]>(['run', 'The king', ...greedy, '-t', '1', '-s', '3', '--choices', '2'])
    expect(new Set(choices.map(({ text }) => text)).size).toBe(2)
    const [beam] = await place.json<{ text: string; score: number }[]>(['run', 'The king', ...greedy, '--beams', '3'])
    expect(beam).toMatchObject({ text: expect.any(String), score: expect.any(Number) })
    const told = await place.json<{ logprobs: { content: { top_logprobs: unknown[] }[] } }>([
      'run',
      'The',
      ...greedy,
      '--logprobs',
      '2',
    ])
    expect(told.logprobs.content[0]!.top_logprobs).toHaveLength(2)
  })

  it('shortens a prompt only where it may, and says so', async () => {
    const stdin = 'And they ran. '.repeat(300)
    const refused = await place.run(['run', ...greedy], { stdin })
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: The prompt has \d+ tokens; the model's context is 512/),
    })
    const cut = await place.run(['run', ...greedy, '--truncate', 'oldest', '--json'], { stdin })
    expect(JSON.parse(cut.stdout)).toMatchObject({ tokens: 8, droppedTokens: expect.any(Number) })
  })

  it('calls a tool', async () => {
    const answer = await place.json<{ toolCalls: unknown[] }>([
      'run',
      'What time is it?',
      '--tools',
      'tools.json',
      '--tool-choice',
      'clock',
    ])
    expect(answer).toMatchObject({
      content: null,
      finishReason: 'tool_calls',
      toolCalls: [{ function: { name: 'clock', arguments: '{}' } }],
    })
  })

  it.each([
    [['--json-schema', 'broken.json'], 2, /broken\.json is not JSON/],
    [['--json-schema', 'tools.json'], 2, /JSON schema at #: must be an object/],
    [['--json-schema', 'none.json'], 1, /none\.json does not exist/],
    [['--json-schema', 'fox.json', '--json-object'], 2, /one of --json-object and --json-schema/],
    [['--json-schema', 'fox.json', '--stop', 'x'], 2, /stop would cut the JSON/],
    [['--tools', 'fox.json'], 2, /list of functions/],
  ] as const)('refuses %j', async (args, code, message) => {
    expect(await place.run(['run', 'x', ...args])).toMatchObject({ code, stderr: expect.stringMatching(message) })
  })
})
