import { canonical } from '../names.js'

/** What makes the manager load a module by itself, as written under `activation` in its manifest. */
export type Activation =
  /** `onStart`: `manager.activate()` loads it. */
  | { readonly on: 'start' }
  /** `onCommand:<module>:<command>`: it is loaded before that command runs. */
  | { readonly on: 'command'; readonly module: string; readonly command: string }
  /** `onCapability:<capability>`: it is loaded when `manager.acquire` asks for the capability and nobody gives it. */
  | { readonly on: 'capability'; readonly capability: string }
  /** `onEvent:<pattern>`: after `manager.activate()`, the first such event loads it. */
  | { readonly on: 'event'; readonly pattern: string }

/** For messages. */
export const activationForms = 'onStart, onCommand:<module>:<command>, onCapability:<capability> or onEvent:<pattern>'

/** Undefined when it is none of the forms. */
export function parseActivation(text: string): Activation | undefined {
  const [kind, ...rest] = text.trim().split(':')
  const [first = '', second = ''] = rest
  if (kind === 'onStart' && rest.length === 0) return { on: 'start' }
  if (kind === 'onCommand' && rest.length === 2 && first !== '' && second !== '')
    return { on: 'command', module: canonical(first), command: second }
  if (kind === 'onCapability' && rest.length === 1 && first !== '') return { on: 'capability', capability: canonical(first) }
  // Names of events may hold colons.
  if (kind === 'onEvent' && rest.join(':') !== '') return { on: 'event', pattern: rest.join(':') }
  return undefined
}
