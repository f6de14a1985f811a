import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TemporaryFolder } from '../data/data.test.support.js'
import { type HubFault, hubFaults, TestHub, type TestHubOptions } from '../testing/test-hub.js'
import { type HubSettings, hubSettings } from './hub-settings.js'
import { type PullOptions, pullModel } from './pull-model.js'

const weights = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) >> 3))
const files = {
  '.gitattributes': '*.safetensors filter=lfs',
  'README.md': '# Teller',
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': '{"model":{}}',
  'model.safetensors': weights,
  'pytorch_model.bin': weights.subarray(1),
  'gguf/teller-q4.gguf': weights.subarray(2),
}
const needed = ['README.md', 'config.json', 'tokenizer.json', 'model.safetensors']

/** A hub, a cache, and how to pull from the one into the other. */
class Place implements AsyncDisposable {
  readonly #folder = new TemporaryFolder()
  readonly settings: HubSettings

  private constructor(
    readonly hub: TestHub,
    settings: Partial<HubSettings>,
  ) {
    this.settings = {
      ...hubSettings({ HF_ENDPOINT: hub.endpoint, HF_HOME: this.#folder.path }),
      idleTimeout: 200,
      retryDelay: 1,
      ...settings,
    }
  }

  static async make(
    options: TestHubOptions = {},
    settings: Partial<HubSettings> = {},
    content: Record<string, string | Buffer> = files,
  ) {
    return new Place(await TestHub.start(content, options), settings)
  }

  pull(name = this.hub.repository, options: PullOptions = {}) {
    return pullModel(name, { settings: this.settings, ...options })
  }

  at(...parts: string[]): string {
    return join(this.settings.cache, 'models--tiny--teller', ...parts)
  }

  blob(path: string): string {
    return this.at('blobs', this.hub.oid(path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

describe('a pull', () => {
  it("brings what is needed and no more, as Hugging Face's cache has it: blobs, links to them, the branch", async () => {
    await using place = await Place.make()
    const { hub } = place
    const seen: number[] = []
    const pulled = await place.pull(undefined, { onProgress: (there, total) => seen.push(there / total) })
    const bytes = weights.length + 8 + 22 + 12
    expect(pulled).toEqual({
      name: 'tiny/teller',
      revision: hub.commit,
      folder: place.at('snapshots', hub.commit),
      files: needed.map((path) => ({ path, bytes: expect.any(Number) })),
      downloaded: bytes,
    })
    expect(seen[0]).toBe(0)
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(readdirSync(place.at('blobs')).sort()).toEqual(needed.map((path) => hub.oid(path)).sort())
    expect(readdirSync(pulled.folder).sort()).toEqual([...needed].sort())
    expect(readlinkSync(join(pulled.folder, 'model.safetensors'))).toBe(join('..', '..', 'blobs', hub.oid('model.safetensors')))
    expect(readFileSync(join(pulled.folder, 'model.safetensors')).equals(weights)).toBe(true)
    expect(readFileSync(place.at('refs', 'main'), 'utf8')).toBe(hub.commit)

    hub.seen.length = 0
    expect(await place.pull()).toEqual({ ...pulled, downloaded: 0 })
    expect(hub.seen).toHaveLength(1)
  })

  it('brings the one file that is chosen, and the revision that is named', async () => {
    await using place = await Place.make()
    const { folder, files } = await place.pull('tiny/teller@refs/pr/1', { files: ['gguf/teller-q4.gguf'] })
    expect(files).toEqual([{ path: 'gguf/teller-q4.gguf', bytes: weights.length - 2 }])
    const link = join(folder, 'gguf', 'teller-q4.gguf')
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(link).equals(weights.subarray(2))).toBe(true)
    expect(readFileSync(place.at('refs', 'refs', 'pr', '1'), 'utf8')).toBe(place.hub.commit)
  })

  it('brings all shards, and of equal files one', async () => {
    const index = 'model.safetensors.index.json'
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
    const content = { ...files, [index]: '{}', [shards[0]!]: weights, [shards[1]!]: weights }
    const { 'model.safetensors': _, ...sharded } = content as Record<string, string | Buffer>
    await using place = await Place.make({}, {}, sharded)
    const { folder, downloaded } = await place.pull()
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([index, ...shards]))
    expect(downloaded).toBe(weights.length + 8 + 22 + 12 + 2)
    expect(place.hub.ranges).toHaveLength(1)
  })

  it('sends the token to the hub, and not to the store that the hub points to', async () => {
    await using place = await Place.make({ token: 'hf_secret' }, { token: 'hf_secret' })
    await place.pull()
    expect(place.hub.seen.filter(({ server }) => server === 'store').map(({ authorization }) => authorization)).toEqual([
      undefined,
    ])
  })
})

describe('a download that breaks', () => {
  /** Where each request began. */
  const starts = ({ hub }: Place) => hub.ranges.map((range) => Number(range?.slice('bytes='.length, -1) ?? 0))

  it.each([
    ['whose connection drops', ['drop'], 'from there'],
    ['that brings nothing any more', ['hang'], 'from there'],
    ['again and again', ['drop', 'drop', 'drop'], 'from there'],
    ['from a server without ranges', ['drop', 'no ranges'], 'from there'],
    ['from a busy server', ['busy', 'busy', 'refuse'], 'anew'],
  ] as [string, HubFault[], string][])('%s is continued', async (_, faults, how) => {
    await using place = await Place.make()
    place.hub.faults.push(...faults)
    const { folder } = await place.pull(undefined, { files: ['model.safetensors'] })
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
    const [first, ...later] = starts(place)
    expect(first).toBe(0)
    for (const [index, start] of later.entries())
      if (how === 'anew') expect(start).toBe(0)
      else expect(start).toBeGreaterThan([0, ...later][index]!)
    expect(later).toHaveLength(faults.filter((fault) => fault !== 'no ranges').length)
  })

  it('five times in a row is given up, and goes on the next time', async () => {
    await using place = await Place.make()
    place.hub.faults.push('drop', 'refuse', 'refuse', 'refuse', 'refuse', 'refuse')
    const pulling = place.pull(undefined, { files: ['model.safetensors'] })
    await expect(pulling).rejects.toMatchObject({ code: 'HUB_UNREACHABLE', message: /Try again later; what is there is kept/ })
    expect(existsSync(place.at('refs'))).toBe(false)
    place.hub.seen.length = 0
    await place.pull()
    expect(starts(place)).toEqual([expect.any(Number)])
    expect(starts(place)[0]).toBeGreaterThan(0)
  })

  it('stopped by its signal it keeps what has come, and goes on the next time', async () => {
    await using place = await Place.make()
    place.hub.faults.push('hang')
    const stopping = new AbortController()
    const onProgress = (there: number) => there > 0 && stopping.abort()
    const stopped = place.pull(undefined, { files: ['model.safetensors'], onProgress, signal: stopping.signal })
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED', message: /What has come is kept/ })
    const there = lstatSync(`${place.blob('model.safetensors')}.incomplete`).size
    expect(there).toBeGreaterThan(0)
    await place.pull()
    expect(place.hub.ranges).toEqual([undefined, `bytes=${there}-`])
  })

  it.each(['model.safetensors', 'config.json'])('a wrong byte in %s is found, and nothing of the file stays', async (path) => {
    await using place = await Place.make()
    place.hub.faults.push('flip')
    await expect(place.pull(undefined, { files: [path] })).rejects.toMatchObject({ code: 'HASH_MISMATCH', message: RegExp(path) })
    expect(readdirSync(place.at('blobs'))).toEqual([])
    expect(existsSync(place.at('snapshots'))).toBe(false)
    await place.pull()
  })

  it('whatever happens, a pull ends with the right bytes or an error that has a code, and the next one mends it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...hubFaults), { maxLength: 12 }), async (faults) => {
        await using place = await Place.make({}, { idleTimeout: 40 })
        place.hub.faults.push(...faults)
        let pulled = await place.pull().catch((error) => error.code as string)
        for (let again = 0; typeof pulled === 'string' && again < 12; again++) {
          expect(pulled).toMatch(/^(HASH_MISMATCH|HUB_UNREACHABLE|HUB_FAILED)$/)
          pulled = await place.pull().catch((error) => error.code as string)
        }
        if (typeof pulled === 'string') throw new Error(`it never ended: ${pulled}`)
        expect(readFileSync(join(pulled.folder, 'model.safetensors')).equals(weights)).toBe(true)
        expect(readFileSync(join(pulled.folder, 'config.json'), 'utf8')).toBe(files['config.json'])
      }),
      { numRuns: process.env.ENIGMA_SOAK ? 300 : 8 },
    )
  }, 300_000)
})

describe('a pull is refused', () => {
  it.each([
    ['a name that is none', 'teller', {}, {}, 'INVALID_OPTION', /write owner\/name/],
    ['a way out of the cache', '../teller@main', {}, {}, 'INVALID_OPTION', /write owner\/name/],
    ['an unknown model', 'tiny/tailor', {}, {}, 'HUB_NOT_FOUND', /no tiny\/tailor@main at .*, or it is private: .* set HF_TOKEN/],
    ['an unknown revision', 'tiny/teller@v9', {}, {}, 'HUB_NOT_FOUND', /no tiny\/teller@v9: .*\/branches/],
    ['a private model', 'tiny/teller', { token: 'a' }, {}, 'HUB_NOT_FOUND', /or set HF_TOKEN/],
    ['a gated model', 'tiny/teller', { gated: true }, {}, 'HUB_FORBIDDEN', /is gated: accept its terms at http.*\/tiny\/teller/],
    ['a hub that is none', 'tiny/teller', { answer: () => 'hello' }, {}, 'HUB_FAILED', /Is HF_ENDPOINT right/],
  ] as const)('%s', async (_, name, options, settings, code, message) => {
    await using place = await Place.make(options, settings)
    await expect(place.pull(name)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('a token that the hub does not take', async () => {
    await using place = await Place.make({ token: 'right' }, { token: 'wrong' })
    await expect(place.pull()).rejects.toMatchObject({ code: 'HUB_NOT_FOUND', message: /what HF_TOKEN may read/ })
  })

  it('a hub that is not there', async () => {
    await using place = await Place.make({}, { endpoint: 'http://127.0.0.1:9' })
    await expect(place.pull()).rejects.toMatchObject({ code: 'HUB_UNREACHABLE', message: /127\.0\.0\.1:9 does not answer/ })
  })

  it('a hub that never answers', async () => {
    await using place = await Place.make({ silent: true }, { idleTimeout: 20 })
    await expect(place.pull()).rejects.toMatchObject({ code: 'HUB_UNREACHABLE', message: /^Nothing came for 0\.02 s/ })
    expect(place.hub.seen).toHaveLength(5)
  })

  it('a file that is not there, and a model without what is needed, naming the files there are', async () => {
    const { 'tokenizer.json': _, ...lacking } = files
    await using place = await Place.make({}, {}, lacking)
    await expect(place.pull()).rejects.toMatchObject({ code: 'HUB_NOT_FOUND', message: /no tokenizer\.json.*--file.*teller-q4/ })
    const absent = place.pull(undefined, { files: ['q8.gguf'] })
    await expect(absent).rejects.toMatchObject({ code: 'HUB_NOT_FOUND', message: /no file q8\.gguf. It has: .*teller-q4/ })
  })

  it.each(['../../evil', '/etc/evil', 'a/../../evil', 'C:\\evil', ''])('a file that is called %j', async (rfilename) => {
    const answer = ({ sha }: { sha: string }) => ({ sha, siblings: [{ rfilename, size: 1, blobId: sha }] })
    await using place = await Place.make({ answer })
    await expect(place.pull(undefined, { files: [rfilename] })).rejects.toMatchObject({ code: 'HUB_FAILED' })
    expect(existsSync(place.at())).toBe(false)
  })

  it('more than the disk has room for, before it begins', async () => {
    const lfs = { sha256: 'a'.repeat(64), size: 2 ** 53 - 1 }
    const answer = ({ sha }: { sha: string }) => ({ sha, siblings: [{ rfilename: 'huge.gguf', size: 1, blobId: sha, lfs }] })
    await using place = await Place.make({ answer })
    const pulling = place.pull(undefined, { files: ['huge.gguf'] })
    await expect(pulling).rejects.toMatchObject({ code: 'DISK_FULL', message: /needs 9007199\.3 GB more .* GB free/ })
  })

  it.skipIf(!existsSync('/dev/full'))('a disk that fills up on the way (needs /dev/full)', async () => {
    await using place = await Place.make()
    mkdirSync(place.at('blobs'), { recursive: true })
    symlinkSync('/dev/full', `${place.blob('model.safetensors')}.incomplete`)
    await expect(place.pull()).rejects.toMatchObject({ code: 'DISK_FULL' })
  })

  it('a second one of the same model at the same time, naming the first', async () => {
    await using place = await Place.make()
    place.hub.faults.push('hang')
    let second: Promise<unknown> | undefined
    const onProgress = () => void (second ??= place.pull().catch((error: unknown) => error))
    await place.pull(undefined, { files: ['model.safetensors'], onProgress })
    expect(await second).toMatchObject({
      code: 'FOLDER_LOCKED',
      message: expect.stringContaining(`pulling tiny/teller by process ${process.pid}`),
    })
  })
})
