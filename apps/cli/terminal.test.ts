import { execFileSync, spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bin, Place, sampleText, tiny } from './enigma.test.fixture.js'

// A person at a terminal, played by Python's pseudo-terminal: [what to wait for, what to type then].
const player = `
import json, os, pty, select, sys, time
steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen = at = 0
screen = ''
end = time.time() + 40
for wait, send in steps + [[None, None]]:
    while wait is None or wait not in screen[at:]:
        if time.time() > end: sys.exit('waited in vain for %r after %r' % (wait, screen))
        if not select.select([fd], [], [], 0.2)[0]: continue
        try: piece = os.read(fd, 65536)
        except OSError: piece = b''
        if not piece: break
        screen += piece.decode('utf8', 'replace')
    if wait is None: break
    if wait not in screen[at:]: sys.exit('ended without %r: %r' % (wait, screen))
    at = len(screen)
    os.write(fd, send.encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({'screen': screen, 'code': os.waitstatus_to_exitcode(status)}))
`

function hasPseudoTerminal(): boolean {
  try {
    execFileSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

let place: Place
beforeAll(async () => {
  place = await Place.make()
  await place.write('text.txt', sampleText(1200))
  const made = await place.run(['train', '--data', 'text.txt', ...tiny, '--steps', '5', '--out', 'story'])
  if (made.code !== 0) throw new Error(made.stderr)
})
afterAll(() => place[Symbol.asyncDispose]())

/** Plays the steps against `enigma …`. */
function play(args: readonly string[], steps: readonly (readonly [string, string])[]): Promise<{ screen: string; code: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', player, JSON.stringify(steps), process.execPath, bin, ...args], {
      cwd: place.folder,
      env: { ...place.environment, TERM: 'xterm' },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (piece) => (stdout += piece))
    child.stderr.on('data', (piece) => (stderr += piece))
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(stdout)) : reject(new Error(stderr))))
  })
}

const control = { c: '\x03', d: '\x04' }

describe.skipIf(!hasPseudoTerminal())('chat at a terminal (needs python3 with pty)', () => {
  it('welcomes, answers, knows its commands, and leaves with quit', async () => {
    const { screen, code } = await play(
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
      ['chat', 'story', '-n', '2'],
      [
        ['You: ', 'A golden bird\r'],
        ['tokens, ', 'quit\r'],
      ],
    )
    const { screen } = await play(
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
