import type { Manifest, Provision, Requirement } from '../manifest/manifest.js'
import { semver } from '../on-demand.js'

// The index the resolver walks: which modules exist, who provides what, who conflicts with whom.

/** One provider of a capability. */
export interface Provider {
  readonly manifest: Manifest
  /** The module's place in the catalogue: small and dense, so that a search can keep its notes in an array. */
  readonly index: number
  readonly version: string
  readonly priority: number
  /** Undefined: the capability is the module's own id. */
  readonly provision: Provision | undefined
}

interface Slot {
  list: Provider[]
  sorted: boolean
}

const nobody: readonly Provider[] = []
const none: ReadonlySet<string> = new Set()

export class Catalogue {
  readonly #modules = new Map<string, Provider>()
  readonly #slots = new Map<string, Slot>()
  /** Places that deleted modules left. */
  readonly #free: number[] = []
  readonly #conflicts = new Map<string, Set<string>>()
  readonly #satisfied = new Map<string, Map<string, boolean>>()

  constructor(manifests: Iterable<Manifest> = []) {
    for (const manifest of manifests) this.add(manifest)
  }

  /** Adds a module, in place of an earlier one with its id. */
  add(manifest: Manifest): void {
    const { id, version } = manifest
    const before = this.#modules.get(id)
    if (before) this.#forget(before.manifest)
    const index = before?.index ?? this.#free.pop() ?? this.#modules.size
    const own = { manifest, index, version, priority: 50, provision: undefined }
    this.#modules.set(id, own)
    const mine = this.#slots.get(id)
    if (mine) push(mine, own)
    const { provides, conflicts } = manifest
    for (let i = 0; i < provides.length; i++) {
      const provision = provides[i]!
      const { capability, priority } = provision
      if (capability !== id) push(this.#slot(capability), { manifest, index, version: provision.version, priority, provision })
    }
    for (let i = 0; i < conflicts.length; i++) {
      // Symmetric: whoever names the other, neither loads beside the other.
      this.#conflict(id, conflicts[i]!)
      this.#conflict(conflicts[i]!, id)
    }
  }

  delete({ id }: Manifest): void {
    const before = this.#modules.get(id)
    if (before === undefined) return
    this.#forget(before.manifest)
    this.#modules.delete(id)
    this.#free.push(before.index)
  }

  /** All modules' places are below this. */
  get places(): number {
    return this.#modules.size + this.#free.length
  }

  get(id: string): Manifest | undefined {
    return this.#modules.get(id)?.manifest
  }

  /** A module as the provider of its own id. */
  entry(id: string): Provider | undefined {
    return this.#modules.get(id)
  }

  ids(): Iterable<string> {
    return this.#modules.keys()
  }

  *all(): Iterable<Manifest> {
    for (const { manifest } of this.#modules.values()) yield manifest
  }

  /** Providers of a capability (a module id is one), best first: priority, then version, then id. */
  providers(capability: string): readonly Provider[] {
    const slot = this.#slots.get(capability) ?? (this.#modules.has(capability) ? this.#slot(capability) : undefined)
    if (slot === undefined) return nobody
    if (!slot.sorted) {
      slot.list.sort(byPreference)
      slot.sorted = true
    }
    return slot.list
  }

  /** The provider of a requirement where there is no other of its capability, and it is of the right version. */
  only(requirement: Requirement): Provider | undefined {
    const { capability, range } = requirement
    const slot = this.#slots.get(capability)
    const one = slot === undefined ? this.#modules.get(capability) : slot.list.length === 1 ? slot.list[0] : undefined
    return one === undefined || range === '*' || this.satisfies(one.version, requirement) ? one : undefined
  }

  /** Whether a capability has several providers. */
  isShared(capability: string): boolean {
    const slot = this.#slots.get(capability)
    return slot !== undefined && slot.list.length > 1
  }

  conflictsOf(id: string): ReadonlySet<string> {
    return this.#conflicts.get(id) ?? none
  }

  /** Whether a version is in a requirement's range; remembered, as semver is the slow part of planning. */
  satisfies(version: string, { range }: Requirement): boolean {
    if (range === '*') return true
    let answers = this.#satisfied.get(range)
    if (answers === undefined) {
      answers = new Map()
      this.#satisfied.set(range, answers)
    }
    let answer = answers.get(version)
    if (answer === undefined) {
      answer = semver().satisfies(version, range, { includePrerelease: true })
      answers.set(version, answer)
    }
    return answer
  }

  #slot(capability: string): Slot {
    let slot = this.#slots.get(capability)
    if (slot === undefined) {
      const own = this.#modules.get(capability)
      slot = { list: own ? [own] : [], sorted: true }
      this.#slots.set(capability, slot)
    }
    return slot
  }

  #conflict(id: string, other: string): void {
    const set = this.#conflicts.get(id)
    if (set === undefined) this.#conflicts.set(id, new Set([other]))
    else set.add(other)
  }

  #forget({ id, provides, conflicts }: Manifest): void {
    for (const capability of [id, ...provides.map((provision) => provision.capability)]) {
      const list = this.#slots.get(capability)?.list
      const at = list?.findIndex(({ manifest }) => manifest.id === id) ?? -1
      if (at >= 0) list!.splice(at, 1)
    }
    // What others say of it stays.
    for (const other of conflicts) {
      if (this.get(other)?.conflicts.includes(id)) continue
      this.#conflicts.get(id)?.delete(other)
      this.#conflicts.get(other)?.delete(id)
    }
  }
}

/** The modules that are loaded. */
export class LoadedSet {
  readonly #modules = new Map<string, Manifest>()

  constructor(manifests: Iterable<Manifest> = []) {
    for (const manifest of manifests) this.add(manifest)
  }

  add(manifest: Manifest): void {
    this.#modules.set(manifest.id, manifest)
  }

  delete(id: string): void {
    this.#modules.delete(id)
  }

  has(id: string): boolean {
    return this.#modules.has(id)
  }

  get size(): number {
    return this.#modules.size
  }

  ids(): Iterable<string> {
    return this.#modules.keys()
  }

  all(): Iterable<Manifest> {
    return this.#modules.values()
  }
}

function push(slot: Slot, provider: Provider): void {
  // A literal of one holds one; an empty array that is pushed to holds seventeen.
  if (slot.list.length === 0) slot.list = [provider]
  else slot.list.push(provider)
  if (slot.list.length > 1) slot.sorted = false
}

function byPreference(a: Provider, b: Provider): number {
  if (a.priority !== b.priority) return b.priority - a.priority
  const version = a.version === b.version ? 0 : semver().compare(b.version, a.version)
  if (version !== 0) return version
  return a.manifest.id < b.manifest.id ? -1 : 1
}
