import { once } from 'node:events'
import { command } from '../command.js'
import { CliError } from '../errors.js'
import { Interrupt } from '../interrupt.js'
import { whole } from '../parse.js'
import { loadGeneration, type ModelOptions, openManager } from '../session.js'

interface Flags extends ModelOptions {
  readonly host?: string
  readonly port?: number
}

export const serve = command<Flags>({
  name: 'serve',
  summary: 'answer over HTTP, as OpenAI does',
  options: [
    { flags: '--host <address>', text: 'address to listen on (127.0.0.1); another one needs an API key', setting: true },
    { flags: '--port <n>', text: 'port (4113); 0 takes any free one', parse: whole(), setting: true },
    { flags: '--model <model>', text: 'name or folder of the model', setting: true },
    { flags: '--threads <n>', text: 'native threads (all cores)', parse: whole(1), setting: true },
  ],
  notes: [
    'Ctrl-C lets answers under way end; a second one stops at once. The routes are listed in /openapi.json.',
    '',
    '  enigma serve --port 8080',
    '  curl http://127.0.0.1:4113/v1/models',
    '  enigma keys create laptop && enigma serve --host 0.0.0.0',
  ],
  async run({ options: { host, port, ...model }, out }) {
    using interrupt = new Interrupt()
    await using manager = await openManager(out)
    const { engine } = await loadGeneration(manager, model)
    await manager.loadAll(['metrics-collector', 'training'])
    await manager.load('api-server', { ...(host !== undefined && { host }), ...(port !== undefined && { port }) })
    const server = manager.getInterface('api-server')
    server.attach(manager)
    out.result(
      { url: server.url, model: engine.model, pid: process.pid },
      () => `${engine.model} answers on ${server.url} (Ctrl-C ends)`,
    )
    const failed = new Promise<never>((_, reject) => {
      manager.events.on('module.error', ({ id, message }) => {
        if (id === 'api-server') reject(new CliError('CHECK_FAILED', `The server has ended: ${message}`))
      })
    })
    if (!interrupt.signal.aborted) await Promise.race([failed, once(interrupt.signal, 'abort')])
    out.hint('Stopping: answers under way may end. Ctrl-C again stops at once.')
    return 0
  },
})
