import type { Schema } from './schema.js'

/** A line of `/api/modules`. */
export interface ModuleInfo {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly version: string
  readonly category: string
  readonly state: string
  readonly requires: readonly string[]
  readonly provides: readonly string[]
  readonly cloud: boolean
  readonly error?: string
  readonly broken: boolean
}

/** Of `/api/modules/{id}`: what the settings need. */
export interface ModuleView {
  readonly id: string
  readonly state: string
  readonly info: { readonly config?: Schema }
  readonly config?: Readonly<Record<string, unknown>>
}

const loadedStates = new Set(['loaded', 'active'])

export const isOn = ({ state }: { readonly state: string }): boolean => loadedStates.has(state)

/** Between two states: nothing can be asked of it now. */
export const isMoving = ({ state }: ModuleInfo): boolean => /ing$/.test(state)

/** They show this page: it would go with them. */
const own = new Set(['api-server', 'gui'])

export const showsThisPage = ({ id }: ModuleInfo): boolean => own.has(id)

export interface Group {
  readonly category: string
  readonly modules: readonly ModuleInfo[]
}

/** By category, both in the order of the alphabet; those whose name, id, words or capabilities have all of `search` in them. */
export function grouped(modules: readonly ModuleInfo[], search: string): readonly Group[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const groups = new Map<string, ModuleInfo[]>()
  for (const module of modules.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const text = [module.id, module.name, module.description, ...module.provides].join(' ').toLowerCase()
    if (!words.every((word) => text.includes(word))) continue
    groups.set(module.category, [...(groups.get(module.category) ?? []), module])
  }
  return [...groups]
    .map(([category, members]) => ({ category, modules: members }))
    .sort((a, b) => (a.category < b.category ? -1 : 1))
}
