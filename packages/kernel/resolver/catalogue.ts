import semver from 'semver'
import type { Manifest, Requirement } from '../manifest/manifest.js'

// The index the resolver walks: which modules exist, who provides what, who conflicts with whom.

/** One provider of a capability. */
interface Provider {
  readonly manifest: Manifest
  readonly version: string
  readonly priority: number
}

const nobody: readonly Provider[] = []
const none: ReadonlySet<string> = new Set()

export class Catalogue {
  readonly #modules = new Map<string, Manifest>()
  readonly #providers = new Map<string, Provider[]>()
  readonly #unsorted = new Set<string>()
  readonly #conflicts = new Map<string, Set<string>>()
  readonly #satisfied = new Map<string, boolean>()

  constructor(manifests: Iterable<Manifest> = []) {
    for (const manifest of manifests) this.add(manifest)
  }

  add(manifest: Manifest): void {
    this.#modules.set(manifest.id, manifest)
    this.#offer(manifest.id, { manifest, version: manifest.version, priority: 50 })
    for (const { capability, version, priority } of manifest.provides) {
      if (capability !== manifest.id) this.#offer(capability, { manifest, version, priority })
    }
    for (const other of manifest.conflicts) {
      // Symmetric: whoever names the other, neither loads beside the other.
      this.#conflict(manifest.id, other)
      this.#conflict(other, manifest.id)
    }
  }

  delete(manifest: Manifest): void {
    this.#modules.delete(manifest.id)
    for (const capability of [manifest.id, ...manifest.provides.map((provision) => provision.capability)]) {
      const left = this.#providers.get(capability)?.filter((provider) => provider.manifest !== manifest) ?? []
      if (left.length === 0) this.#providers.delete(capability)
      else this.#providers.set(capability, left)
    }
    // What others say of it stays.
    for (const other of manifest.conflicts) {
      if (this.#modules.get(other)?.conflicts.includes(manifest.id)) continue
      this.#conflicts.get(manifest.id)?.delete(other)
      this.#conflicts.get(other)?.delete(manifest.id)
    }
  }

  get(id: string): Manifest | undefined {
    return this.#modules.get(id)
  }

  ids(): Iterable<string> {
    return this.#modules.keys()
  }

  all(): Iterable<Manifest> {
    return this.#modules.values()
  }

  /** Providers of a capability (a module id is one), best first: priority, then version, then id. */
  providers(capability: string): readonly Provider[] {
    const list = this.#providers.get(capability)
    if (list === undefined) return nobody
    if (this.#unsorted.delete(capability)) list.sort(byPreference)
    return list
  }

  conflictsOf(id: string): ReadonlySet<string> {
    return this.#conflicts.get(id) ?? none
  }

  /** Whether a version is in a requirement's range; remembered, as semver is the slow part of planning. */
  satisfies(version: string, requirement: Requirement): boolean {
    if (requirement.range === '*') return true
    const key = `${version} ${requirement.range}`
    let answer = this.#satisfied.get(key)
    if (answer === undefined) {
      answer = semver.satisfies(version, requirement.range, { includePrerelease: true })
      this.#satisfied.set(key, answer)
    }
    return answer
  }

  #offer(capability: string, provider: Provider): void {
    const list = this.#providers.get(capability)
    if (list === undefined) this.#providers.set(capability, [provider])
    else {
      list.push(provider)
      this.#unsorted.add(capability)
    }
  }

  #conflict(id: string, other: string): void {
    const set = this.#conflicts.get(id)
    if (set === undefined) this.#conflicts.set(id, new Set([other]))
    else set.add(other)
  }
}

/** The modules that are loaded (or chosen to be), by id and by capability. */
export class LoadedSet {
  readonly #modules = new Map<string, Manifest>()
  readonly #providers = new Map<string, Manifest[]>()

  constructor(manifests: Iterable<Manifest> = []) {
    for (const manifest of manifests) this.add(manifest)
  }

  add(manifest: Manifest): void {
    this.#modules.set(manifest.id, manifest)
    for (const { capability } of manifest.provides) {
      const list = this.#providers.get(capability)
      if (list === undefined) this.#providers.set(capability, [manifest])
      else list.push(manifest)
    }
  }

  delete(id: string): void {
    const manifest = this.#modules.get(id)
    if (manifest === undefined) return
    this.#modules.delete(id)
    for (const { capability } of manifest.provides) {
      const list = this.#providers.get(capability)!
      if (list.length === 1) this.#providers.delete(capability)
      else list.splice(list.indexOf(manifest), 1)
    }
  }

  has(id: string): boolean {
    return this.#modules.has(id)
  }

  ids(): Iterable<string> {
    return this.#modules.keys()
  }

  /** Modules in the set that list the capability under `provides` (their own ids not counted). */
  providers(capability: string): readonly Manifest[] {
    return this.#providers.get(capability) ?? []
  }
}

function byPreference(a: Provider, b: Provider): number {
  if (a.priority !== b.priority) return b.priority - a.priority
  const version = semver.compare(b.version, a.version)
  if (version !== 0) return version
  return a.manifest.id < b.manifest.id ? -1 : 1
}
