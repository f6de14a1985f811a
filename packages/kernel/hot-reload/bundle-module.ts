import type { ModuleDefinition } from '../define.js'
import { definitionOf } from '../discovery/entry.js'
import type { InterfaceLookup } from '../discovery/seed-class.js'
import type { Manifest } from '../manifest/manifest.js'
import { evaluateFile } from './evaluate-file.js'

/**
 * The code of a module as its files are now, evaluated anew: as often as wanted, as nothing of it stays once it is let go.
 * The TypeScript sources are taken where they lie beside the built entry.
 * @throws ModuleError `ENTRY_MISSING`, `BUNDLE_FAILED` (with file and line), `BAD_MODULE`
 */
export async function bundleModule(
  manifest: Manifest,
  folder: string,
  lookup: InterfaceLookup,
): Promise<ModuleDefinition<never>> {
  const { exports, stacks } = await evaluateFile(manifest.id, folder, manifest.entry)
  return stacks.around(definitionOf(manifest, exports, lookup))
}
