import { ConfigChecker } from '../config/config.js'
import { ModuleError, type ModuleErrorCode } from '../errors.js'
import { ManifestReader } from '../manifest/manifest-read.js'
import { didYouMean } from '../names.js'
import { Catalogue } from '../resolver/catalogue.js'
import { canonicalCycle, topological } from '../resolver/order.js'
import { discover, lineInFile } from './discovery.js'
import { entryPath } from './entry.js'

/** One thing wrong with the modules in some folders. */
export interface ModuleProblem {
  readonly code: ModuleErrorCode
  readonly module: string
  /** The manifest; empty for cycles, which have several. */
  readonly file: string
  /** In that file, from 1; 0 for cycles. */
  readonly line: number
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

  const configs = new ConfigChecker()
  for (const { id, file, folder, result } of found) {
    const report = async (code: ModuleErrorCode, path: readonly string[], message: string, key = path.join('.')) =>
      void problems.push({ code, module: id, file, line: await lineInFile(file, path), key, message })
    /** What must not throw, and where to look when it does. */
    const attempt = async (path: readonly string[], run: () => void, key?: string) => {
      try {
        run()
      } catch (error) {
        if (!(error instanceof ModuleError)) throw error
        await report(error.code, path, error.message, key)
      }
    }
    if (!result.ok) {
      for (const { code, key, line, message } of result.problems)
        problems.push({ code: code ?? 'BAD_MANIFEST', module: id, file, line: line ?? 1, key, message })
      continue
    }
    const { manifest } = result
    if (manifest.runtime !== 'remote') await attempt(['entry'], () => entryPath(id, folder, manifest.entry))
    for (const [i, command] of manifest.contributes.commands.entries()) {
      const path = ['contributes', 'commands', String(i), 'entry']
      await attempt(path, () => entryPath(id, folder, command.entry), `contributes.commands.${command.name}`)
    }
    await attempt(['config'], () => configs.accept(manifest))
    for (const [i, requirement] of manifest.requires.entries()) {
      const providers = catalogue.providers(requirement.capability)
      if (providers.some(({ manifest: other, version }) => other.id !== id && catalogue.satisfies(version, requirement))) continue
      const offered = providers.map(({ manifest: other, version }) => `${other.id} offers ${version}`).join(', ')
      const hint = offered || `nothing provides it${didYouMean(requirement.capability, catalogue.ids())}`
      await report('NO_PROVIDER', ['requires', String(i)], `'${id}' requires '${requirement.text}', but ${hint}`, 'requires')
    }
  }
  for (const cycle of cycles(catalogue)) {
    const message = `Circular dependency: ${[...cycle, cycle[0]!].join(' -> ')}. Remove one of these requirements, or make it optional.`
    problems.push({ code: 'CYCLE', module: cycle[0]!, file: '', line: 0, key: 'requires', message })
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
