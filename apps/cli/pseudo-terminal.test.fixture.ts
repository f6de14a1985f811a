import { execFileSync, spawn } from 'node:child_process'
import { bin, type Place } from './enigma.test.fixture.js'

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

export function hasPseudoTerminal(): boolean {
  try {
    execFileSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Plays the steps against `enigma …`. */
export function play(
  place: Place,
  args: readonly string[],
  steps: readonly (readonly [string, string])[],
): Promise<{ screen: string; code: number }> {
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

export const control = { c: '\x03', d: '\x04' }
