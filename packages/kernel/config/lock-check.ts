import { ModuleError } from '../errors.js'
import { differencesOf, differencesText, fingerprintOf } from '../install/fingerprint.js'
import type { Manifest } from '../manifest/manifest.js'
import type { ModuleConfig } from './config.js'
import { migrateConfig } from './migrations.js'
import type { SavedModule, SavedSet } from './saved-set.js'
import { isSealed, type SecretBox } from './secret-box.js'

// A saved set held against what is installed, before anything is loaded.

/**
 * Whether the files of the saved modules are those that were saved.
 * @param folderOf undefined for modules without a folder
 * @param accept modules whose files may differ
 * @throws ModuleError `INTEGRITY` naming the module, the files, the line in the set, and what to do
 */
export async function checkFiles(
  saved: SavedSet,
  folderOf: (id: string) => string | undefined,
  accept: (id: string) => boolean,
): Promise<void> {
  for (const { id, fingerprint, line } of saved.modules) {
    const folder = folderOf(id)
    if (fingerprint === undefined || folder === undefined || accept(id)) continue
    const now = await fingerprintOf(folder)
    if (now.integrity === fingerprint.integrity) continue
    const place = saved.file === undefined ? 'The saved set' : `${saved.file}:${line ?? 1}`
    const what = differencesText(differencesOf(fingerprint.files, now.files))
    const fix = `If that is meant, restore with accept: ['${id}'] (enigma modules load ${id} --accept ${id}); otherwise put the files back.`
    const message = `${place}: the files of module '${id}' in ${folder} are not those that were saved: ${what}. ${fix}`
    throw new ModuleError('INTEGRITY', message, { module: id, file: saved.file, line })
  }
}

/**
 * The config to load a saved module with: secrets opened, brought to the module's present version, then what is given anew.
 * Undefined when there is nothing to say.
 * @throws ModuleError `SECRET_UNREADABLE`, `BAD_CONFIG` for a version the module does not know
 */
export async function restoredConfig(
  { id, config, configVersion }: SavedModule,
  manifest: Manifest,
  given: ModuleConfig | undefined,
  box: SecretBox | undefined,
): Promise<ModuleConfig | undefined> {
  const opened: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(config)) {
    if (!isSealed(value)) opened[key] = value
    else if (given?.[key] === undefined) {
      if (box !== undefined) opened[key] = await box.open(value, `${id}.${key}`)
      else {
        const message = `The secret ${id}.${key} is sealed, and this manager has no state folder with the key. Open it with one, or give it anew.`
        throw new ModuleError('SECRET_UNREADABLE', message, { module: id })
      }
    }
  }
  const next = { ...migrateConfig(manifest, opened, configVersion), ...given }
  return Object.keys(next).length === 0 ? undefined : next
}
