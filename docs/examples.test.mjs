// Every file of docs/examples runs here with Node, each in an empty folder with an empty ENIGMA_HOME, and says what its page promises.
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { ModuleManager } from 'enigma'
import { afterAll, beforeAll, expect, it } from 'vitest'

const folder = join(import.meta.dirname, 'examples')

/** What each example is given on its standard input, and what it says, in this order. */
const examples = {
  'categories.mjs': {
    says: [
      /Core: .*inference,logger,.*model,.*tokenizer/,
      "without it: Module 'optional-module' not registered",
      /model: active, \w+/,
    ],
  },
  'chat-bot.mjs': { input: 'hello\nQUIT\nnever asked', says: [/You: AI: .*?\w{3}/s, 'You: Still loaded: 0'] },
  'checking-before-loading.mjs': {
    says: [
      'requires GPU but none available',
      'What would do instead: image-gen-local',
      'Loaded: image-gen-local',
      'localOnly: false',
    ],
  },
  'cli-command.mjs': { says: ['service, provides uptime, commands: uptime:status', /up for \d+ s/, 'Loaded: uptime'] },
  'custom-module.mjs': { says: ['Loading my module...', 'my_module is ready', 'Unloading my module...'] },
  'daemon-module.mjs': { says: ['active: running', 'loaded: not running', 'active: running'] },
  'discovery.mjs': {
    says: [
      'greeting in greeting_module.mjs',
      'party in party_module.mjs',
      'Hello, Ada! Hello, Alan!',
      'image-gen-api,image-gen-local',
    ],
  },
  'ecosystem.mjs': {
    says: [
      'Trainers: wave-trainer',
      'Loaded: ',
      /Activations: .*relu.*sine/,
      'wave: [1] → [1]',
      /3 +linear +\[1\] +33\n/,
      /Training stopped after \d+ epochs, loss 0\.\d+ -> 0\.00\d+/,
      /Kept epoch \d+ of \d+ that were saved/,
      /At 0\.5: (-?0\.\d+), wanted 0\.07/,
      'Without its module: no sine, relu is there',
      /Seen: \d+ EpochEnd, 1 BackendChanged, \d+ layer.registered/,
    ],
  },
  'event-monitor.mjs': { says: ['Telemetry: 2', 'module.loaded: 2', 'module.unloaded: 1'] },
  'events.mjs': {
    says: [
      'Loaded other',
      'Epoch 1 started',
      'My event: 42',
      'Custom event: MyEvent',
      'listener failed at MyEvent: not my day',
      'loss 0.5',
      'Heard by 1',
      'The last two: bus.error,Telemetry',
    ],
  },
  'fashion-mnist.mjs': { before: drawings, args: ['.', '2', '640'], says: [/Test accuracy (9\d|100)\.\d\d %/] },
  'find-by-capability.mjs': {
    says: ['Optimizers: adamw,sgd', 'WGPU: wgpu', 'CUDA: 0 found', 'trainer takes: adamw', 'Backend: WGPU'],
  },
  'generation-module.mjs': { says: ['PNG of 64 pixels, PNG of 32 pixels'] },
  'generation.mjs': {
    says: [
      /\w \((stop at "\."|stop at "\\n\\n"|length at undefined)\)/,
      /valid: (fox|hare|owl), true, true/,
      /tool_calls weather \{"days":[1-7]\}/,
      /" ?\w+" -\d+\.\d\d\n.* -\d+\.\d\d\n.* -\d+\.\d\d\n/,
      /beams: .* \(-\d+\.\d\d\), choices: 3/s,
      /CONTEXT_OVERFLOW The prompt has \d+ tokens; the model's context is 512/,
      'left out: true, read: 504',
    ],
  },
  'hardware-aware.mjs': {
    says: [/Loaded: model,tokenizer,inference,.*voice-output/, /hello.wav, spoken in (espeak|tones)/, 'ram '],
  },
  'hot-reload.mjs': {
    says: ['Hello, Ada! 1', 'Good day, Ada! 2', "'greeter' cannot be bundled: index.js:1", 'Good day, Ada! 3', 'Welcome, Ada! 4'],
  },
  'module-with-dependencies.mjs': {
    says: [
      'Loaded along: model,tokenizer,inference',
      'storyteller says:',
      "Cannot unload 'model': required by 'inference', 'advanced'",
    ],
  },
  'pipeline.mjs': {
    says: [
      'my_model: [3, 224, 224] → [64, 112, 112]',
      /0 +custom_conv +\[64, 224, 224\] +1,792/,
      'Result: [1, 64, 112, 112]',
      "Pipeline 'my_model', stage 1 (custom_conv), which is given [batch, 3, 112, 112]: it takes samples of [in_channels = 4, height, width]",
    ],
  },
  'plugin-config.mjs': {
    says: [
      'learning rate: 0.001, batch size: 16',
      'Now using learning rate: 0.0005',
      'takes this config only when it is loaded',
      "did you mean 'learning_rate'?",
      '"token":"(secret)"',
    ],
  },
  'plugin-with-service.mjs': { says: ['first, second', 'provide my-service, on SomeEvent', 'Still listening: 0'] },
  'quick-start.mjs': { says: [/AI: .*?\w{3}/s] },
  'registration-plugin.mjs': {
    says: ['[-2, 0, 2, 4] -> [0,0,4,16]', 'Without the plugin: false'],
  },
  'registry.mjs': {
    says: [
      'Initialized: my-logger,my-heartbeat',
      'Lines: 1',
      'Daemons: my-heartbeat active',
      'Shut down: my-heartbeat',
      'Shut down: my-logger',
    ],
  },
  'resolution-strategies.mjs': {
    says: [
      "Capability 'image-generation' already provided by",
      'Image gen already loaded.',
      "Module conflicts with loaded module 'image-gen-local'",
      "Required module 'language-model@^1' not loaded",
    ],
  },
  'save-and-restore.mjs': {
    says: ['- voice-output', '+ image-gen-local', '+ memory', 'steps: 50', 'Loaded: voice-output, memory is disabled'],
  },
  'service-module.mjs': { says: ['2', 'counted to 2'] },
  'switching.mjs': {
    says: [
      'Switched to local',
      'Switched to cloud',
      'Swapped, make-first: image-gen-local',
      '256 pixels',
      'BAD_CONFIG: still there is image-gen-local',
    ],
  },
  'task-sets.mjs': {
    says: ['code: model,tokenizer,inference,code-gen-local', 'image: image-gen-local came along', '- memory'],
  },
  'text-and-images.mjs': { input: 'sk-test\n', says: [/AI: .*?\w{3}/s, 'image/png, ', 'Remembered: 2 messages'] },
  'training-plugin.mjs': { says: [/Epoch 2: loss [\d.]+ is no better, learning rate 0.6/, /Checkpoint of epoch \d+: y = 3.00x/] },
}

// A server of this machine that speaks OpenAI's images API, so that nothing reaches out of it.
const asked = []
const server = createServer(async (request, response) => {
  asked.push({ url: request.url, key: request.headers.authorization, ...JSON.parse(await text(request)) })
  response.end(JSON.stringify({ data: [{ b64_json: Buffer.from('a picture').toString('base64') }] }))
})
beforeAll(() => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => server.close())

/** Images in MNIST's files, so that the example needs no download: class k is a bright bar at height k, among noise. */
function drawings(cwd) {
  const header = (type, ...sizes) =>
    Buffer.from([0, 0, type, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255])])
  for (const [part, count] of [
    ['train', 640],
    ['t10k', 500],
  ]) {
    const labels = Buffer.from(Array.from({ length: count }, (_, index) => (index * 7) % 10))
    const pixels = Buffer.alloc(count * 784)
    for (let i = 0; i < pixels.length; i++) {
      const row = Math.floor((i % 784) / 28)
      const bright = Math.floor(row / 2.8) === labels[Math.floor(i / 784)]
      pixels[i] = (Math.imul(i, 2654435761) >>> 26) + (bright ? 150 : 0)
    }
    const write = (name, bytes) => writeFileSync(join(cwd, `${part}-${name}-ubyte.gz`), gzipSync(bytes))
    write('images-idx3', Buffer.concat([header(8, count, 28, 28), pixels]))
    write('labels-idx1', Buffer.concat([header(8, count), labels]))
  }
}

async function run(name, { input = '', args = [], before }) {
  const cwd = mkdtempSync(join(tmpdir(), 'enigma-example-'))
  try {
    before?.(cwd)
    const OPENAI_BASE_URL = `http://127.0.0.1:${server.address().port}/v1`
    const env = { ...process.env, ENIGMA_HOME: join(cwd, 'home'), OPENAI_BASE_URL }
    const child = spawn(process.execPath, [join(folder, name), ...args], { cwd, env })
    child.stdin.on('error', () => undefined) // an example that reads nothing may have ended
    child.stdin.end(input)
    const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
    const [code, said, complaints] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
    expect(code, `${said}\n${complaints}`).toBe(0)
    return said
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

it('has an expectation for every example', () => {
  expect(Object.keys(examples)).toEqual(readdirSync(folder).filter((name) => name.endsWith('.mjs')))
})

it.each(Object.entries(examples))('%s', async (name, example) => {
  let rest = await run(name, example)
  for (const one of example.says) {
    expect(rest).toMatch(one)
    rest = rest.slice(typeof one === 'string' ? rest.indexOf(one) + one.length : rest.search(one) + one.exec(rest)[0].length)
  }
})

it('text-and-images.mjs asks the server with the key that was entered, where there is no GPU', async () => {
  const manager = await ModuleManager.open()
  const { gpu_available } = manager.hardwareProfile
  await manager.shutdown()
  const request = { url: '/v1/images/generations', key: 'Bearer sk-test', prompt: 'Draw a sunset over mountains' }
  expect(asked).toMatchObject(gpu_available ? [] : [request])
})
