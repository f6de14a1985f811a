import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bin, Place } from './enigma.test.fixture.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

/** Wrong calls and what must be said about them, in one line, with exit code 2. */
const wrong: readonly [string, readonly string[], RegExp][] = [
  ['an unknown command, with the nearest one', ['chta'], /unknown command 'chta'.*Did you mean chat/],
  ['an unknown command of a group', ['modules', 'whi'], /unknown command 'whi'.*Did you mean why/],
  [
    'an unknown option, with the nearest one',
    ['run', 'x', '--temprature', '1'],
    /unknown option '--temprature'.*Did you mean --temperature/,
  ],
  ['an unknown option on the bare command', ['--trian'], /unknown option '--trian'.*Did you mean --train/],
  ['a value that is no number', ['run', 'x', '--top-k', 'many'], /--top-k.*whole number/],
  ['a value out of range', ['run', 'x', '--top-p', '1.5'], /--top-p.*from 0 to 1/],
  [
    'a value that is not among the choices',
    ['train', '--data', 'x', '--schedule', 'zigzag'],
    /--schedule.*Allowed choices are cosine, linear, wsd, constant, .*oneCycle/,
  ],
  ['a missing argument', ['eval'], /missing required argument 'model'/],
  ['a missing option', ['eval', 'm'], /required option '-d, --data <file>' not specified/],
  ['training without text', ['train'], /--data <files\.\.\.>/],
  ['too many arguments', ['hardware', 'now'], /too many arguments/],
  ['an empty prompt', ['run', ''], /prompt is empty/],
  ['token ids that are none', ['tokenizer', 'decode', 'a'], /'a' is no token id/],
  ['two modes at once', ['--train', '--run'], /--train and --run/],
  ['no module to unload', ['modules', 'unload'], /which module/],
]

describe('usage errors', () => {
  it.each(wrong)('name %s', async (_, args, message) => {
    const { code, stdout, stderr } = await place.run(args)
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/^error: /)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('show the help of a group that was called without a command', async () => {
    const { code, stderr } = await place.run(['modules'])
    expect(code).toBe(2)
    expect(stderr).toContain('Usage: enigma modules')
  })

  it.skipIf(!existsSync('/dev/full'))(
    'say that the disk is full when the result cannot be written (needs /dev/full)',
    async () => {
      const full = openSync('/dev/full', 'w')
      const child = spawnSync(process.execPath, [bin, 'models', 'presets', '--json'], {
        stdio: ['ignore', full, 'pipe'],
        env: place.environment,
        encoding: 'utf8',
      })
      closeSync(full)
      expect(child.stderr).toBe('error: The disk is full. Free some space and run the command again\n')
      expect(child.status).toBe(1)
    },
  )

  it('show no stack trace, unless ENIGMA_DEBUG asks for one', async () => {
    const args = ['train', '--data', 'missing.txt', '--out', 'm']
    const plain = await place.run(args)
    expect(plain.stderr).toMatch(/missing\.txt/)
    expect(plain.stderr).not.toMatch(/^\s+at /m)
    expect(plain.code).toBe(1)
    const debug = await place.run(args, { env: { ENIGMA_DEBUG: '1' } })
    expect(debug.stderr).toMatch(/^\s+at /m)
  })
})
