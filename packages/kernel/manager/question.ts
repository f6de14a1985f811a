import { ModuleError } from '../errors.js'
import { Lifeline, withinLimit } from '../lifecycle/limit.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import { isThenable } from '../lifecycle/thenable.js'

/**
 * What a module that is up answered to a question, within its stop limit. Its own life goes on whatever it does.
 * @throws ModuleError `TIMEOUT`
 */
export async function answered<T>(record: ModuleRecord, asked: string, answer: T | PromiseLike<T>): Promise<T> {
  const ms = record.manifest.lifecycle.stopTimeout
  const onTimeout = () => {
    const fix = 'Make it faster, or raise lifecycle.stopTimeout in its module.yaml.'
    return new ModuleError('TIMEOUT', `Module '${record.id}' did not answer ${asked} in ${ms} ms. ${fix}`, { module: record.id })
  }
  const nothing = () => undefined
  if (!isThenable(answer)) return answer
  const told = () => ({ onSlow: nothing, onTimeout, onStuck: nothing })
  return withinLimit(new Lifeline(), answer, { ms, warn: ms, grace: 0, told })
}
