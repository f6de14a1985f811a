import { setTimeout as sleep } from 'node:timers/promises'
import { LmError } from '../errors.js'
import { TransientError } from './hub-request.js'
import type { HubSettings } from './hub-settings.js'

/** Attempts in a row that may fail. */
const attempts = 5

/**
 * Does something that may fail for a while: again after a wait, each twice as long as the one before.
 * @param run does it; calls `progressed` when it came further, so that the failures before count no longer
 * @throws LmError HUB_UNREACHABLE after five failures in a row; the signal's reason; what `run` throws otherwise
 */
export async function retrying<T>(
  { retryDelay }: HubSettings,
  signal: AbortSignal,
  run: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0
  for (;;) {
    signal.throwIfAborted()
    try {
      return await run(() => {
        failures = 0
      })
    } catch (error) {
      if (!(error instanceof TransientError)) throw error
      if (++failures === attempts)
        throw new LmError('HUB_UNREACHABLE', `${error.message}. Try again later; what is there is kept.`, { cause: error })
    }
    // Aborted while it waits: the loop's first line says why.
    await sleep(retryDelay * 2 ** (failures - 1), undefined, { signal }).catch(() => undefined)
  }
}
