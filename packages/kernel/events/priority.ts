import { ModuleError } from '../errors.js'

/** @throws ModuleError `BAD_SUBSCRIPTION` for what cannot be put in order */
export function checkPriority(priority: number | undefined): void {
  if (priority === undefined || (typeof priority === 'number' && !Number.isNaN(priority))) return
  throw new ModuleError(
    'BAD_SUBSCRIPTION',
    `'priority' must be a number, got ${String(priority)}. Higher runs first; the default is 0.`,
  )
}
