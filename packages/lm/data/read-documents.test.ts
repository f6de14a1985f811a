import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { preTokenEnd } from '../tokenizer/pre-tokens.js'
import { runs } from '../tokenizer/text.test.support.js'
import { TemporaryFolder } from './data.test.support.js'
import { findDataFiles } from './data-files.js'
import type { Piece } from './pieces.js'
import { holdConversations, readDocuments, readTexts } from './read-documents.js'
import { readJsonl } from './read-jsonl.js'
import { linesOf } from './read-utf8.js'
import { splitDocuments } from './split-documents.js'

/** Documents as text, special tokens written out. */
async function documents(pieces: AsyncIterable<Piece>): Promise<string[]> {
  const found: string[] = []
  let current = ''
  for await (const piece of pieces) {
    if (piece.kind === 'end') {
      found.push(current)
      current = ''
    } else
      current +=
        piece.kind === 'text'
          ? piece.text
          : piece.messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('')
  }
  expect(current).toBe('')
  return found
}

async function read(name: string, content: string | Uint8Array): Promise<string[]> {
  using folder = new TemporaryFolder()
  return await documents(readDocuments(await findDataFiles([folder.write(name, content)])))
}

async function* chunked(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
}

test('a line of many megabytes is looked at once', async () => {
  const text = 'word '.repeat(1 << 22)
  const [line] = [...(await documents(readJsonl('x', linesOf(chunked(`${JSON.stringify({ text })}\n\n{"text":"b"}`, 1 << 16)))))]
  expect(line).toBe(text)
})

test('a folder is searched for links to files, too; what is no file is refused and not waited for', async () => {
  using folder = new TemporaryFolder()
  const text = folder.write('cache/blob', 'One.')
  mkdirSync(folder.at('data'))
  symlinkSync(text, folder.at('data/one.txt'))
  symlinkSync(folder.at('nowhere'), folder.at('data/none.txt'))
  expect((await findDataFiles([folder.at('data')])).map(({ path }) => path)).toEqual([folder.at('data/one.txt')])
  execFileSync('mkfifo', [folder.at('pipe.txt')])
  await expect(findDataFiles([folder.at('pipe.txt')])).rejects.toThrow(/pipe.txt is no file. Save what it gives to one/)
})

test('an empty file among others is left out', async () => {
  using folder = new TemporaryFolder()
  folder.write('a.txt', 'One.')
  folder.write('b.txt', '')
  expect((await findDataFiles([folder.path])).map(({ path }) => path)).toEqual([folder.at('a.txt')])
  await expect(findDataFiles([folder.at('b.txt')])).rejects.toThrow(/Data file is empty/)
})

test('reading ends with the reason that a signal gives', async () => {
  using folder = new TemporaryFolder()
  const files = await findDataFiles([folder.write('a.jsonl', '{"text":"a"}\n')])
  await expect(holdConversations(files, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
})

describe('text', () => {
  test('is split at separator lines and keeps everything else', async () => {
    const text = 'One.\n\nMore.\n<|endoftext|>\nTwo <|endoftext|> three\n <|endoftext|>\n<|endoftext|>\r\n<|endoftext|>\nLast'
    expect(await read('a.txt', text)).toEqual(['One.\n\nMore.\n', 'Two <|endoftext|> three\n <|endoftext|>\n', 'Last'])
    expect(await read('a.md', 'no separator\n')).toEqual(['no separator\n'])
    expect(await read('a.txt', 'x\n<|endoftext|>')).toEqual(['x\n'])
  })

  test('is split the same way whatever chunks it comes in', async () => {
    const line = fc.constantFrom(
      '<|endoftext|>',
      '<|endoftext|>\r',
      'a b c',
      '',
      '<|endof',
      ' <|endoftext|>',
      '<|endoftext|> x',
      '👍',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), async (lines, size) => {
        const text = lines.join('\n')
        const expected = text.split(/(?<![^\n])<\|endoftext\|>(?:\r?\n|\r?$)/).filter((document) => document !== '')
        expect(await documents(splitDocuments(chunked(text, size)))).toEqual(expected)
      }),
      runs(300),
    )
  })

  test('comes in pieces of bounded size that end where no token is cut', async () => {
    const text = Array.from({ length: 200_000 }, (_, i) => `word${i % 977}  \n don't`).join(' ')
    const pieces: string[] = []
    for await (const piece of splitDocuments(chunked(text, 1 << 20))) if (piece.kind === 'text') pieces.push(piece.text)
    expect(pieces.join('')).toBe(text)
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(3 << 20)
    expect(pieces.length).toBeGreaterThan(2)
    const ends = new Set<number>()
    for (let at = 0; at < text.length; ) ends.add((at = preTokenEnd(text, at)))
    let at = 0
    for (const piece of pieces) expect(ends.has((at += piece.length))).toBe(true)
  })

  test('without any space is cut nevertheless, not within a character', async () => {
    const text = '👍'.repeat(3 << 20)
    const pieces: string[] = []
    for await (const piece of splitDocuments(chunked(text, 1 << 20))) if (piece.kind === 'text') pieces.push(piece.text)
    expect(pieces.length).toBeGreaterThan(1)
    for (const piece of pieces) expect(piece.length % 2).toBe(0)
    expect(pieces.join('')).toBe(text)
  })

  test('loses its byte order mark, and is refused where it is not UTF-8', async () => {
    expect(await read('a.txt', '\ufeffhello')).toEqual(['hello'])
    await expect(read('latin.txt', Buffer.from('caf\xe9 au lait', 'latin1'))).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: /latin\.txt is not UTF-8/,
    })
    await expect(read('cut.txt', Buffer.from('👍').subarray(0, 3))).rejects.toMatchObject({ code: 'DATA_INVALID' })
  })
})

describe('questions and answers', () => {
  test('become conversations; what is neither stays text', async () => {
    const text = '# my data\n\nQ: Hi?\nA: Hello.\nHow are you?\n\nq: Who?\nreally\nA: Me.\n<|endoftext|>\nQ: No answer\n'
    expect(await read('pairs.txt', text)).toEqual([
      '# my data\n',
      '<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\nHello.\nHow are you?<|im_end|>\n',
      '<|im_start|>user\nWho?\nreally<|im_end|>\n<|im_start|>assistant\nMe.<|im_end|>\n',
      'Q: No answer\n',
    ])
  })

  test('are only looked for at the beginning', async () => {
    const text = `${'A line of a play.\n'.repeat(12)}Q: a\nA: b\n`
    expect(await read('play.txt', text)).toEqual([text])
    expect(await read('play.txt', 'A: first\nQ: then\n')).toEqual(['A: first\nQ: then\n'])
  })
})

describe('JSON lines', () => {
  test('are texts and conversations', async () => {
    const lines = [
      { text: 'plain <|im_end|>' },
      {
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
        ],
      },
    ]
    expect(await read('a.jsonl', `${lines.map((line) => JSON.stringify(line)).join('\r\n\r\n')}`)).toEqual([
      'plain <|im_end|>',
      '<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n',
    ])
  })

  test.each([
    ['{"text":', /line 2: not JSON/],
    ['{"question": "x"}', /line 2: needs "text"/],
    ['{"messages": []}', /line 2: needs "text"/],
    ['{"messages": [{"role": "user"}]}', /line 2: a message needs a role/],
    ['{"messages": [{"role": "user\\nx", "content": "y"}]}', /line 2: a message needs a role/],
    ['null', /line 2: needs "text"/],
  ])('%s is refused with file and line', async (line, message) => {
    await expect(read('bad.jsonl', `{"text":"ok"}\n${line}\n`)).rejects.toMatchObject({ code: 'DATA_INVALID', message })
    await expect(read('bad.jsonl', `{"text":"ok"}\n${line}\n`)).rejects.toThrow('bad.jsonl')
  })
})

describe('sources', () => {
  test('are files, folders and globs, in order and none twice', async () => {
    using folder = new TemporaryFolder()
    for (const name of ['b.txt', 'a.md', 'deep/c.jsonl', 'deep/d.txt', '.hidden.txt', 'deep/.git/e.txt', 'f.bin'])
      folder.write(name, 'x')
    const names = async (...paths: string[]) => {
      const files = await findDataFiles(paths.map((path) => folder.at(path)))
      return files.map(({ path }) => path.slice(folder.path.length + 1))
    }
    expect(await names('.')).toEqual(['a.md', 'b.txt', 'deep/c.jsonl', 'deep/d.txt'])
    expect(await names('b.txt', '.')).toEqual(['b.txt', 'a.md', 'deep/c.jsonl', 'deep/d.txt'])
    expect(await names('*.txt')).toEqual(['b.txt'])
    expect(await names('**/*.{txt,jsonl}')).toEqual(['b.txt', 'deep/c.jsonl', 'deep/d.txt'])
    expect(await names('deep/?.txt')).toEqual(['deep/d.txt'])
    expect(await names('f.bin')).toEqual(['f.bin'])
    expect((await findDataFiles([folder.at('deep/c.jsonl')]))[0]).toMatchObject({ kind: 'jsonl', bytes: 1 })
    const without = await findDataFiles([folder.at('b.txt')])
    expect((await findDataFiles([folder.path], { without })).length).toBe(3)
    await expect(findDataFiles([folder.at('b.txt')], { without })).rejects.toMatchObject({ code: 'DATA_EMPTY' })
  })

  test('that are missing or empty are named', async () => {
    using folder = new TemporaryFolder()
    folder.write('empty.txt', '')
    folder.write('other/x.bin', 'x')
    const find = (path: string) => findDataFiles([folder.at(path)])
    await expect(find('none.txt')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', message: /not found: .*none\.txt/ })
    await expect(find('*.md')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', message: /No file matches .*\*\.md/ })
    await expect(find('other')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', message: /No \.txt, \.md or \.jsonl files in/ })
    await expect(find('empty.txt')).rejects.toMatchObject({ code: 'DATA_EMPTY', message: /empty: .*empty\.txt/ })
    await expect(findDataFiles([])).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  })

  test('give their text alone for training a tokenizer', async () => {
    using folder = new TemporaryFolder()
    folder.write('a.txt', 'one\n<|endoftext|>\ntwo')
    folder.write('b.jsonl', '{"messages":[{"role":"user","content":"Hi"}]}')
    const texts: string[] = []
    for await (const text of readTexts(await findDataFiles([folder.path]))) texts.push(text)
    expect(texts).toEqual(['one\n', 'two', 'user\nHi', '\n'])
  })
})
