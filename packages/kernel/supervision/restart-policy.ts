// When a crashed module is started again, and when it is given up. Pure: times come in, a decision goes out.

/** Times in milliseconds. */
export interface RestartPolicy {
  /** Wait before the first attempt; doubled with each further one. */
  readonly base: number
  /** The longest wait, before jitter. */
  readonly cap: number
  /** A wait is changed by at most this share, either way, so that modules that fell together do not rise together. */
  readonly jitter: number
  /** A module that ran this long before it crashed starts over with the first wait. */
  readonly healthyAfter: number
  /** This many crashes within `window` end the attempts. */
  readonly maxCrashes: number
  readonly window: number
}

export const defaultPolicy: RestartPolicy = {
  base: 1_000,
  cap: 60_000,
  jitter: 0.2,
  healthyAfter: 60_000,
  maxCrashes: 3,
  window: 300_000,
}

/** The crashes of one module so far. */
export interface CrashHistory {
  /** Attempts since it last ran for `healthyAfter`. */
  readonly attempts: number
  /** Times of the crashes within the window, oldest first. */
  readonly crashes: readonly number[]
}

export const noCrashes: CrashHistory = { attempts: 0, crashes: [] }

/** What to do about a crash, and the history to keep. */
type NextAttempt =
  | { readonly restart: true; readonly attempt: number; readonly delayMs: number; readonly history: CrashHistory }
  | { readonly restart: false; readonly crashes: readonly number[] }

/**
 * @param ranFor how long the module ran before this crash; 0 when it did not get up at all
 * @param random uniform in [0, 1)
 */
export function nextAttempt(
  history: CrashHistory,
  now: number,
  ranFor: number,
  random: number,
  policy: RestartPolicy = defaultPolicy,
): NextAttempt {
  const crashes = [...history.crashes.filter((at) => now - at < policy.window), now]
  if (crashes.length >= policy.maxCrashes) return { restart: false, crashes }
  const attempts = ranFor >= policy.healthyAfter ? 0 : history.attempts
  const delayMs = waitBefore(attempts, random, policy)
  return { restart: true, attempt: attempts + 1, delayMs, history: { attempts: attempts + 1, crashes } }
}

/** Milliseconds to wait after so many attempts in a row. */
export function waitBefore(attempts: number, random: number, policy: RestartPolicy = defaultPolicy): number {
  // 2^n overflows to Infinity for absurd n, which the cap takes too.
  const wait = Math.min(policy.cap, policy.base * 2 ** attempts)
  return Math.round(wait * (1 + policy.jitter * (2 * random - 1)))
}

/** Whether a module with this setting is started again after it ended, cleanly or not. */
export function wantsRestart(restart: 'never' | 'on-failure' | 'always', clean: boolean): boolean {
  return restart === 'always' || (restart === 'on-failure' && !clean)
}
