import { readFileSync } from 'node:fs'
import { CliError, isMissing } from './errors.js'
import { savedSetPath } from './folders.js'

/** State of each module in the saved set, for lists: nothing is loaded. Empty where nothing was saved. */
export function readSavedStates(): ReadonlyMap<string, 'active' | 'loaded' | 'disabled'> {
  const path = savedSetPath()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return new Map()
    throw error
  }
  try {
    const { modules = {}, disabled = [] } = JSON.parse(text) as {
      modules?: Record<string, { active?: boolean }>
      disabled?: string[]
    }
    const up = Object.entries(modules).map(([id, { active }]) => [id, active === false ? 'loaded' : 'active'] as const)
    return new Map([...up, ...disabled.map((id) => [id, 'disabled'] as const)])
  } catch (cause) {
    throw new CliError('BAD_SETTING', `${path} is damaged. Start over with: enigma modules unload --all`, { cause })
  }
}
