import { ModuleError } from '../errors.js'

// The states of a module and which may follow which.

export type ModuleState = 'unloaded' | 'loading' | 'loaded' | 'active' | 'error' | 'disabled'

/** What a module in a settled state is busy with. */
export type ModulePhase = 'starting' | 'stopping' | 'unloading'

/** `loading → unloaded` is a load that was cancelled or undone before it ended; `error` is left by reset only. */
export const transitions: Readonly<Record<ModuleState, readonly ModuleState[]>> = {
  unloaded: ['loading', 'disabled'],
  loading: ['loaded', 'error', 'unloaded'],
  loaded: ['active', 'unloaded', 'error'],
  active: ['loaded', 'error'],
  error: ['unloaded'],
  disabled: ['unloaded'],
}

/** Loaded in the seed documents' sense: ready, started or not. */
export function isUp(state: ModuleState): boolean {
  return state === 'loaded' || state === 'active'
}

/** @throws ModuleError `ILLEGAL_TRANSITION` unless `to` may follow `from` */
export function checkTransition(module: string, from: ModuleState, to: ModuleState): void {
  if (transitions[from].includes(to)) return
  const allowed = transitions[from].join(' or ')
  throw new ModuleError('ILLEGAL_TRANSITION', `Module '${module}' is ${from}: it cannot become ${to}, only ${allowed}.`, {
    module,
  })
}
