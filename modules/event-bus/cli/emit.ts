import { type ModuleCommand, ModuleError } from '@enigma/kernel'
import { leaveEvent, problemOfName, takers } from '../inbox.js'

/** Leaves an event for every process that runs the module, this one included if it does. */
export const emitCommand: ModuleCommand = {
  name: 'emit',
  description: 'Emit an event in the processes that run',
  async execute({ args: [event], options }) {
    if (event === undefined) throw wrong('Say which: event-bus:emit NAME --data JSON')
    const problem = problemOfName(event)
    if (problem) throw wrong(`The event is refused: ${problem}.`)
    const payload = payloadOf(options.data)
    if ((await takers()).length === 0)
      throw wrong("No process runs the module 'event-bus'; load it where the event shall arrive.")
    const reached = await leaveEvent(event, payload)
    if (reached.length === 0) throw wrong('No process had room for the event: it is too long, or they take no more.')
    return `Left '${event}' for ${reached.length === 1 ? 'process' : 'processes'} ${reached.join(', ')}`
  },
}

function payloadOf(data: unknown): unknown {
  if (data === undefined) return undefined
  try {
    return JSON.parse(String(data))
  } catch (error) {
    throw wrong(`--data is no JSON: ${(error as Error).message}`)
  }
}

function wrong(message: string): ModuleError {
  return new ModuleError('BAD_CONFIG', message, { module: 'event-bus' })
}
