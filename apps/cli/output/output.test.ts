import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Output, visible } from './output.js'

function terminal(isTTY: boolean) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY })
  return { stream, read: () => (stream.read() as string | null) ?? '' }
}

describe('output', () => {
  it('sends results to stdout, and notes, warnings and progress to stderr', () => {
    const [stdout, stderr] = [terminal(true), terminal(true)]
    const out = new Output({ json: false, stdout: stdout.stream, stderr: stderr.stream })
    out.progress('half')
    out.text('result')
    out.note('note')
    expect(stdout.read()).toBe('result\n')
    expect(stderr.read()).toBe('\r\x1b[Khalf\r\x1b[Knote\n')
  })

  it('shows no progress and no hints when piped or under --json', () => {
    for (const [json, isTTY] of [
      [false, false],
      [true, true],
    ] as const) {
      const [stdout, stderr] = [terminal(isTTY), terminal(isTTY)]
      const out = new Output({ json, stdout: stdout.stream, stderr: stderr.stream })
      out.progress('half')
      out.hint('hint')
      out.result({ a: 1 }, () => 'text')
      expect(stdout.read()).toBe(json ? '{"a":1}\n' : 'text\n')
      expect(stderr.read()).toBe('')
    }
  })

  it("does not let a model's text steer the terminal", () => {
    expect(visible('a\x1b[2Jb\x9b2Jc\x08\r\td\n')).toBe('a\ufffd[2Jb\ufffd2Jc\ufffd\ufffd\td\n')
    const [screen, file] = [terminal(true), terminal(false)]
    new Output({ json: false, stdout: screen.stream, stderr: screen.stream }).written('\x1b[2J')
    new Output({ json: false, stdout: file.stream, stderr: file.stream }).written('\x1b[2J')
    expect(screen.read()).toBe('\ufffd[2J')
    expect(file.read()).toBe('\x1b[2J')
  })
})
