import { isDeepStrictEqual } from 'node:util'
import type { ModuleConfig } from './config.js'

// What it takes to get from the loaded set to a saved one: data, before anything is done.

/** The side of a set that can be compared. Configs are complete (defaults filled in) on both sides. */
export interface ComparableSet {
  readonly modules: readonly {
    readonly id: string
    readonly version?: string | undefined
    readonly active: boolean
    readonly config: ModuleConfig
  }[]
  readonly disabled: readonly string[]
}

/** Each list is in the order of the set it comes from. Values of configs are not in it, only their keys. */
export interface SetDiff {
  readonly load: readonly string[]
  readonly unload: readonly string[]
  /** Those that are loaded by it included. */
  readonly start: readonly string[]
  readonly stop: readonly string[]
  readonly disable: readonly string[]
  readonly enable: readonly string[]
  /** Loaded on both sides, with another config. */
  readonly reconfigure: readonly { readonly id: string; readonly keys: readonly string[] }[]
  /** Modules that are installed in another version than the saved one. */
  readonly versionChanges: readonly { readonly id: string; readonly saved: string; readonly installed: string }[]
  /** One line each; empty when nothing is to do. */
  readonly text: string
}

/**
 * @param current what is loaded and disabled now
 * @param installed versions of all modules that are there, by id
 */
export function diffOfSets(current: ComparableSet, saved: ComparableSet, installed: ReadonlyMap<string, string>): SetDiff {
  const now = new Map(current.modules.map((module) => [module.id, module]))
  const wanted = new Set(saved.modules.map(({ id }) => id))
  const both = saved.modules.filter(({ id }) => now.has(id))
  const ids = (modules: readonly { readonly id: string }[]) => modules.map(({ id }) => id)
  const parts = {
    load: ids(saved.modules.filter(({ id }) => !now.has(id))),
    unload: ids(current.modules.filter(({ id }) => !wanted.has(id))),
    start: ids(saved.modules.filter(({ id, active }) => active && now.get(id)?.active !== true)),
    stop: ids(both.filter(({ id, active }) => !active && now.get(id)!.active)),
    disable: saved.disabled.filter((id) => !current.disabled.includes(id)),
    enable: current.disabled.filter((id) => !saved.disabled.includes(id)),
    reconfigure: both
      .map(({ id, config }) => ({ id, keys: changedKeys(now.get(id)!.config, config) }))
      .filter(({ keys }) => keys.length > 0),
    versionChanges: saved.modules.flatMap(({ id, version }) => {
      const there = installed.get(id)
      return version === undefined || there === undefined || there === version ? [] : [{ id, saved: version, installed: there }]
    }),
  }
  return { ...parts, text: linesOf(parts).join('\n') }
}

function changedKeys(before: ModuleConfig, after: ModuleConfig): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key]))
}

function linesOf(diff: Omit<SetDiff, 'text'>): string[] {
  return [
    ...diff.enable.map((id) => `+ ${id} (enabled)`),
    ...diff.unload.map((id) => `- ${id}`),
    ...diff.stop.map((id) => `< ${id}`),
    ...diff.versionChanges.map(({ id, saved, installed }) => `~ ${id} (saved ${saved}, installed ${installed})`),
    ...diff.reconfigure.map(({ id, keys }) => `~ ${id} (config: ${keys.join(', ')})`),
    ...diff.load.map((id) => `+ ${id}`),
    ...diff.start.map((id) => `> ${id}`),
    ...diff.disable.map((id) => `- ${id} (disabled)`),
  ]
}
