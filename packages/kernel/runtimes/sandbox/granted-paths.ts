import { isAbsolute, resolve } from 'node:path'

/** Where a module's own files are. */
export interface ModulePlaces {
  /** The module's folder. */
  readonly module: string
  /** The folder in which it may keep files. */
  readonly data: string
}

export interface GrantedPath {
  readonly path: string
  /** As written in the manifest. */
  readonly text: string
  readonly write: boolean
}

/** `permissions.fs` → paths. `$MODULE`, `$DATA` and `~` stand for folders; `:ro` at the end grants reading only. */
export function grantedPaths(entries: readonly string[], places: ModulePlaces, home: string): GrantedPath[] {
  return entries.map((text) => {
    const write = !text.endsWith(':ro')
    const name = write ? text : text.slice(0, -3)
    const full = name
      .replace(/^\$MODULE(?=\/|$)/, places.module)
      .replace(/^\$DATA(?=\/|$)/, places.data)
      .replace(/^~(?=\/|$)/, home)
    return { path: isAbsolute(full) ? resolve(full) : resolve(places.module, full), text, write }
  })
}
