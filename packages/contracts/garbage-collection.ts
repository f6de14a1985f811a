import { token } from '@enigma/kernel'

/** What may be removed, and from when on. */
export interface GarbageRule {
  /** Names the rule in reports. */
  readonly id: string
  readonly description?: string
  /** Which of the user's Enigma folders; nothing outside of it is ever touched. */
  readonly root: 'state' | 'cache' | 'logs' | 'data' | 'config'
  /** A folder below the root, `thumbnails`; needed in `data` and `config`, which hold what people made. */
  readonly folder?: string
  /** Looks below subfolders too, never through links. Default false. */
  readonly deep?: boolean
  /** A file, a folder with nothing in it, or a folder with all that is in it. Default `file`. */
  readonly what?: 'file' | 'empty-folder' | 'tree'
  /** By the entry's name, without its folder. */
  matches(name: string): boolean
  /** Milliseconds since the last change (in `cache`: or the last reading) of the entry, or of anything in it. */
  readonly olderThan: number
}

export interface GarbageItem {
  readonly rule: string
  readonly path: string
  readonly bytes: number
  /** Milliseconds. */
  readonly age: number
}

export interface GarbageReport {
  /** What was removed; what would be, for a dry run. */
  readonly items: readonly GarbageItem[]
  /** Entries: a folder counts as one. */
  readonly files: number
  readonly bytes: number
  /** Folders left alone, entries that could not be removed, and why. */
  readonly problems: readonly string[]
  readonly ms: number
}

/** Cleans what Enigma leaves behind. */
export interface GarbageCollection {
  /**
   * Returns what takes the rule away again: `ctx.onDispose(garbage.addRule({ … }))` ends it with the module that made it.
   * @throws ModuleError `BAD_CONFIG` for a rule that could reach what is not Enigma's
   */
  addRule(rule: GarbageRule): () => void
  rules(): readonly GarbageRule[]
  /** What a run would remove now. Touches nothing. */
  scan(): Promise<GarbageReport>
  /** Removes it. One run at a time: a second call joins the first. */
  run(): Promise<GarbageReport>
}

export const GarbageCollection = token<GarbageCollection>('garbage-collection', '1.0')
