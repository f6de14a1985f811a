import type { ModuleErrorCode } from '../errors.js'
import { runtimes } from '../manifest/manifest.js'
import { ManifestReader } from '../manifest/manifest-read.js'
import { didYouMean } from '../names.js'
import { Catalogue } from '../resolver/catalogue.js'
import { canonicalCycle, topological } from '../resolver/order.js'
import { discover } from './discovery.js'
import { missingEntry } from './entry.js'

/** One thing wrong with the modules in some folders. */
export interface ModuleProblem {
  readonly code: ModuleErrorCode
  readonly module: string
  /** The manifest; empty for cycles, which have several. */
  readonly file: string
  /** The key in the manifest, where there is one. */
  readonly key: string
  readonly message: string
}

/** Every problem of the modules in `folders`, without running any of their code. An empty list is a clean bill. */
export async function checkModules(folders: readonly string[]): Promise<ModuleProblem[]> {
  const found = await discover(folders, new ManifestReader())
  const problems: ModuleProblem[] = []
  const catalogue = new Catalogue()
  for (const { result } of found) if (result.ok) catalogue.add(result.manifest)

  for (const { id, file, folder, result } of found) {
    const report = (code: ModuleErrorCode, key: string, message: string) =>
      problems.push({ code, module: id, file, key, message })
    if (!result.ok) {
      const code = result.error.code === 'DUPLICATE_ID' ? 'DUPLICATE_ID' : 'BAD_MANIFEST'
      for (const problem of result.problems) report(code, problem.key, problem.message)
      continue
    }
    const { manifest } = result
    if (manifest.runtime !== 'inproc') {
      const later = runtimes.filter((runtime) => runtime !== 'inproc').join(', ')
      report('RUNTIME_UNSUPPORTED', 'runtime', `runtime '${manifest.runtime}' is not supported yet (nor ${later}); use inproc`)
    }
    const entry = missingEntry(manifest, folder, manifest.entry)
    if (entry) report('ENTRY_MISSING', 'entry', entry)
    for (const command of manifest.contributes.commands) {
      const missing = missingEntry(manifest, folder, command.entry)
      if (missing) report('ENTRY_MISSING', `contributes.commands.${command.name}`, missing)
    }
    for (const requirement of manifest.requires) {
      const providers = catalogue.providers(requirement.capability)
      if (providers.some(({ manifest: other, version }) => other.id !== id && catalogue.satisfies(version, requirement))) continue
      const offered = providers.map(({ manifest: other, version }) => `${other.id} offers ${version}`).join(', ')
      const hint = offered || `nothing provides it${didYouMean(requirement.capability, catalogue.ids())}`
      report('NO_PROVIDER', 'requires', `'${id}' requires '${requirement.text}', but ${hint}`)
    }
  }
  for (const cycle of cycles(catalogue)) {
    const message = `Circular dependency: ${[...cycle, cycle[0]!].join(' -> ')}. Remove one of these requirements, or make it optional.`
    problems.push({ code: 'CYCLE', module: cycle[0]!, file: '', key: 'requires', message })
  }
  return problems
}

/** Cycles that no choice of providers avoids: over the requirements that only one module meets. One per round, then its first member is taken out. */
function cycles(catalogue: Catalogue): string[][] {
  const only = new Map<string, string[]>()
  for (const { id, requires } of catalogue.all()) {
    const providers = requires.map((requirement) =>
      catalogue
        .providers(requirement.capability)
        .filter((p) => p.manifest.id !== id && catalogue.satisfies(p.version, requirement)),
    )
    only.set(
      id,
      providers.filter((list) => list.length === 1).map(([provider]) => provider!.manifest.id),
    )
  }
  const found: string[][] = []
  for (;;) {
    const sorted = topological(only.keys(), (id) => only.get(id) ?? [])
    if (sorted.ok) return found
    const cycle = canonicalCycle(sorted.cycle)
    found.push(cycle)
    only.delete(cycle[0]!)
  }
}
