import type { GarbageRule } from '@enigma/contracts'
import { isAlive } from '@enigma/files'
import { parseDuration } from '@enigma/kernel'
import type { GarbageCollectorConfig } from './types.js'

// What Enigma leaves behind, as a table.

/** Files written aside by `@enigma/files` and the kernel: `.heartbeat.json.1a2b3c4d.tmp`, `enigma_modules.json.1a2b3c4d.tmp`. */
const writtenAside = (name: string) => /\.[0-9a-f]{8}\.tmp$/.test(name)

/** Half-written model files and folders name their process: `.model.safetensors.<host>-<pid>-<random>.tmp`. */
const halfWritten = (name: string) => {
  const [, pid] = /^\..+\.[0-9a-f]{8}-(\d+)-[0-9a-f]+\.tmp$/.exec(name) ?? []
  return pid !== undefined && !isAlive(Number(pid))
}

/** Mailboxes are called by the process that takes from them: `<pid>-<random>`. */
const ofDeadProcess = (name: string) => {
  const [, pid] = /^([1-9]\d*)-[0-9a-f]{8}$/.exec(name) ?? []
  return pid !== undefined && !isAlive(Number(pid))
}

/** The manifest's patterns have checked the durations. */
const ms = (text: string) => parseDuration(text)!

export function builtinRules({ temporaryAge, logAge, cacheAge }: GarbageCollectorConfig): GarbageRule[] {
  const [temporary, log, cache] = [ms(temporaryAge), ms(logAge), ms(cacheAge)]
  const models = { root: 'data', folder: 'models', deep: true, olderThan: temporary } as const
  return [
    { id: 'state-temporary', root: 'state', deep: true, matches: writtenAside, olderThan: temporary },
    { id: 'cache-temporary', root: 'cache', deep: true, matches: (name) => name.endsWith('.tmp'), olderThan: temporary },
    { id: 'settings-temporary', root: 'config', folder: '.', matches: writtenAside, olderThan: temporary },
    { id: 'model-temporary', ...models, matches: halfWritten },
    { id: 'model-temporary-folder', ...models, what: 'tree', matches: halfWritten },
    { id: 'empty-trainer', ...models, what: 'empty-folder', matches: (name) => name === 'trainer' },
    { id: 'rotated-log', root: 'logs', matches: (name) => /^enigma\.\d+\.log$/.test(name), olderThan: log },
    {
      id: 'rotated-events',
      root: 'state',
      folder: 'events',
      matches: (name) => /^events\.\d+\.jsonl$/.test(name),
      olderThan: log,
    },
    { id: 'dead-mailbox', root: 'state', folder: 'events/inbox', what: 'tree', matches: ofDeadProcess, olderThan: temporary },
    { id: 'expired-cache', root: 'cache', deep: true, matches: () => true, olderThan: cache },
  ]
}
