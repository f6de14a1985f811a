import { once } from 'node:events'
import type { OptionSpec } from './command.js'
import { CliError } from './errors.js'
import { Interrupt } from './interrupt.js'
import type { Output } from './output/output.js'
import { whole } from './parse.js'
import { loadGeneration, type ModelOptions, openManager } from './session.js'

// What `enigma serve` and `enigma gui` have in common.

export interface ServeOptions extends ModelOptions {
  readonly host?: string
  readonly port?: number
}

export const serveOptions: readonly OptionSpec[] = [
  { flags: '--host <address>', text: 'address to listen on (127.0.0.1); another one needs an API key', setting: true },
  { flags: '--port <n>', text: 'port (4113); 0 takes any free one', parse: whole(), setting: true },
  { flags: '--model <model>', text: 'name or folder of the model', setting: true },
  { flags: '--threads <n>', text: 'native threads (all cores)', parse: whole(1), setting: true },
]

/**
 * Answers over HTTP until Ctrl-C; answers under way may end then.
 * @param further modules to load on the server
 * @param line said when it listens
 */
export async function serveUntilStopped(
  { host, port, ...model }: ServeOptions,
  out: Output,
  further: readonly string[],
  line: (url: string, model: string) => string,
): Promise<number> {
  using interrupt = new Interrupt()
  await using manager = await openManager(out)
  const { engine } = await loadGeneration(manager, model)
  await manager.loadAll(['metrics-collector', 'training'])
  await manager.load('api-server', { ...(host !== undefined && { host }), ...(port !== undefined && { port }) })
  if (further.length > 0) await manager.loadAll([...further])
  const server = manager.getInterface('api-server')
  server.attach(manager)
  out.result({ url: server.url, model: engine.model, pid: process.pid }, () => line(server.url, engine.model))
  const failed = new Promise<never>((_, reject) => {
    manager.events.on('module.error', ({ id, message }) => {
      if (id === 'api-server') reject(new CliError('CHECK_FAILED', `The server has ended: ${message}`))
    })
  })
  if (!interrupt.signal.aborted) await Promise.race([failed, once(interrupt.signal, 'abort')])
  out.hint('Stopping: answers under way may end. Ctrl-C again stops at once.')
  return 0
}
