import { expect, test } from 'vitest'
import { badManifest, ManifestReader } from './manifest-read.js'
import { maxTextBytes } from './manifest-text.js'

const reader = new ManifestReader()
const head = 'id: a\nversion: 1.0.0\n'

function problems(source: string | Uint8Array): string[] {
  const result = reader.read(source)
  return result.ok ? [] : result.problems.map(({ line, message }) => `${line}: ${message}`)
}

test('each problem has the line of its key', () => {
  const text = [
    'id: a', // 1
    'version: 1.0.0',
    'kynd: plugin', // 3
    'provides:',
    '  - { capability: x, priority: high }', // 5
    '',
    'resources:',
    '  threads: 0', // 8
    'contributes:',
    '  commands:',
    '    - description: without a name', // 11
  ].join('\n')
  expect(problems(text).map((found) => found.split(':')[0])).toEqual(['3', '5', '8', '11'])
  const result = reader.read(text)
  if (result.ok) throw new Error('it is broken')
  const error = badManifest('modules/a/module.yaml', result.problems)
  expect(error).toMatchObject({ code: 'BAD_MANIFEST', file: 'modules/a/module.yaml', line: 3 })
  expect(error.message).toMatch(
    /^modules\/a\/module\.yaml:3: unknown key 'kynd'; did you mean 'kind'\?; line 5: 'provides\.0\.pri/,
  )
})

test('what is decided after the schema has its line too', () => {
  expect(problems(`${head}requires:\n  - b\n  - c@nonsense\nlifecycle:\n  stopTimeout: soon`)).toEqual([
    "5: 'requires' has 'c@nonsense', whose range is not semver; write it as name@^1",
    "7: 'lifecycle.stopTimeout' is no duration above 0; write it as 500ms, 30s or 2m",
  ])
})

test('in the seed dialect the line is that of the word it uses', () => {
  expect(problems('version: 1.0.0\nname: a\n\ntype: deamon')[0]).toMatch(/^4: 'kind' must be one of/)
  expect(problems('version: 1.0.0\ntype: plugin\nname: "no id!"')[0]).toMatch(/^3: 'id' must look like/)
  const cli = 'name: a\ntype: plugin\nversion: 1.0.0\ncli:\n  commands:\n    - name: x\n      executor: ../../x.js'
  expect(problems(cli)[0]).toMatch(/^7: .*inside the module's folder/)
})

const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
for (let i = 1; i < 10; i++) {
  const [name, before] = ['abcdefghij'[i]!, 'abcdefghij'[i - 1]!]
  laughs.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`)
}

const hostile: [string, string | Uint8Array, RegExp][] = [
  ['a bomb of aliases', `${head}${laughs.join('\n')}`, /^6: alias \*\w makes the file grow beyond 10000 entries/],
  ['an anchor that contains itself', `${head}x-a: &a\n  b: [*a]`, /^4: alias \*a contains itself/],
  ['an alias without anchor', `${head}name: *nobody`, /^3: alias \*nobody names no anchor/],
  ['a key twice', `${head}name: b\nname: c`, /^4: key 'name' is there twice/],
  ['a key that is no text', `${head}1: x`, /^3: a key that is no text/],
  ['a list as a key', `${head}? [a]\n: x`, /^3: a key that is no text/],
  ['__proto__', `${head}config:\n  type: object\n  __proto__: { polluted: true }`, /^5: '__proto__' is no key/],
  ['a control character', `${head}name: "x\u001b[2J"`, /^3: invisible character U\+001B/],
  ['an escaped control character', `${head}name: "x\\e[2J"`, /^3: 'name' has the invisible character U\+001B/],
  ['text that turns around', `${head}description: "\u202egnp.exe"`, /^3: invisible character U\+202E/],
  ['a NUL', `${head}\0`, /^3: the file is binary or UTF-16/],
  ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(head, 'utf16le')]), /^1: the file is UTF-16/],
  ['UTF-16 without a mark', Buffer.from(head, 'utf16le'), /^1: the file is binary or UTF-16/],
  ['bytes that are no text', Buffer.concat([Buffer.from(head), Buffer.from([0xc3, 0x28])]), /^3: the file is not UTF-8/],
  ['a truncated file', `${head}provides:\n  - { capability: "x`, /^\d: not readable as YAML/],
  ['10 MB', Buffer.alloc(10_000_000, 'a'), /^1: the file has 10000000 bytes; at most 262144 are read/],
  ['nesting without end', '['.repeat(30_000), /^1: .*(nested too deeply|not readable as YAML)/],
  ['nesting that closes', `${head}x-a: ${'['.repeat(100)}${']'.repeat(100)}`, /^3: it is nested deeper than 64/],
  ['another YAML', `%YAML 1.1\n---\n${head}x-at: 2001-12-14t21:59:43.10-05:00`, /^5: .*neither text, number/],
  ['an unknown tag', `${head}name: !!js/function "x"`, /^3: not readable as YAML: Unresolved tag/],
  ['bytes by tag', `${head}name: !!binary "aGk="`, /^3: /],
  ['no number', `${head}x-a: .nan`, /^3: 'x-a' is no finite number/],
  ['two documents', `${head}---\nid: b`, /^3: not readable as YAML/],
  ['an entry above the folder', `${head}entry: ./dist/../../x.js`, /^3: 'entry' must be a path inside the module's folder/],
  ['an entry in Windows words', `${head}entry: ..\\x.js`, /^3: 'entry' must be a path inside/],
  ['an absolute entry', `${head}entry: /etc/passwd`, /^3: 'entry' must be a path inside/],
  ['an entry on a drive', `${head}entry: C:\\x.js`, /^3: 'entry' must be a path inside/],
  ['an entry that is an address', `${head}entry: data:text/javascript,1`, /^3: 'entry' must be a path inside/],
  [
    'a command above the folder',
    `${head}contributes: { commands: [ { name: ../../../x } ] }`,
    /^3: 'contributes.commands.0.entry' must/,
  ],
]

test.each(hostile)('%s is refused with its line', (_, source, expected) => {
  const found = problems(source)
  expect(found[0]).toMatch(expected)
  expect(found.length).toBeLessThanOrEqual(21)
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
})

test('a path that leaves the folder has its own code', () => {
  const result = reader.read(`${head}entry: ../x.js`)
  if (result.ok) throw new Error('it leaves')
  expect(badManifest('m.yaml', result.problems)).toMatchObject({ code: 'PATH_ESCAPE', line: 3 })
})

test.each([
  ['a byte order mark', `\ufeff${head}`],
  ['Windows line ends', head.replaceAll('\n', '\r\n')],
  ['anchors used twice', `${head}x-one: &limits { loadTimeout: 3s }\nlifecycle: *limits`],
  ['dots that stay inside', `${head}entry: ./dist/../index.js`],
  ['an address, for a remote module', `${head}runtime: remote\nentry: http://127.0.0.1:8080/mcp`],
])('%s is fine', (_, text) => {
  expect(problems(Buffer.from(text))).toEqual([])
})

test('the largest file that is read is refused within seconds: keys are not compared each with each', () => {
  let text = head
  for (let i = 0; text.length < maxTextBytes - 10; i++) text += `k${i}: 1\n`
  const begun = process.cpuUsage()
  expect(problems(text).at(-1)).toMatch(/and \d+ more/)
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(15)
}, 60_000)
