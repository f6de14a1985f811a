import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ModuleError } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { type Consent, type Consents, consentFile, growthOf, permissionsOf, readConsents } from './consents.js'
import { differencesOf, differencesText, fingerprintOf } from './fingerprint.js'

// Between what is installed and what may run: a module runs as it was agreed to, unchanged, with no more permissions, or not at all.

/** Where a module runs when nobody vouches for it. wasm and remote modules are outside the program by themselves. */
export function confinedRuntime(runtime: Manifest['runtime']): Manifest['runtime'] {
  return runtime === 'inproc' || runtime === 'worker' ? 'process' : runtime
}

export class InstallGate {
  readonly #home: string
  readonly #consents: Consents

  private constructor(home: string, consents: Consents) {
    this.#home = home
    this.#consents = consents
  }

  /** @param home the folder of installed modules; it need not exist. @throws ModuleError `BAD_CONSENTS` */
  static async open(home: string): Promise<InstallGate> {
    const real = existsSync(home) ? await realpath(home) : home
    return new InstallGate(real, await readConsents(real))
  }

  /** Folders of the modules that were agreed to and are there. */
  get folders(): string[] {
    return [...this.#consents.values()].map((consent) => this.#folderOf(consent)).filter((folder) => existsSync(folder))
  }

  /** Whether the files of a folder are looked after here, also where nobody agreed to them. */
  holds(folder: string): boolean {
    return folder.startsWith(this.#home + sep)
  }

  /** The manifest as it was agreed to: in a process of its own, unless the module is trusted. Others stay as they are. */
  adapt(manifest: Manifest, folder: string): Manifest {
    if (!this.holds(folder) || this.#consentFor(folder)?.trusted) return manifest
    return { ...manifest, runtime: confinedRuntime(manifest.runtime) }
  }

  /**
   * Before any of its code is read: its files and permissions are those that were agreed to. Others pass.
   * @throws ModuleError `INTEGRITY` naming the files, `CONSENT_NEEDED` naming the permissions
   */
  async verify(manifest: Manifest, folder: string): Promise<void> {
    if (!this.holds(folder)) return
    const consent = this.#consentFor(folder)
    const { id } = manifest
    if (consent === undefined) {
      // One that appeared within an added one, where its own manifest was.
      const message = `Nobody agreed to module '${id}' in ${folder}. Put right what was added there with: enigma modules update`
      throw new ModuleError('CONSENT_NEEDED', message, { module: id })
    }
    if (consent.id !== id) {
      const message = `The module in ${folder} says it is '${id}', but what was agreed to is '${consent.id}'. Remove it, and add it again.`
      throw new ModuleError('CONSENT_NEEDED', message, { module: id })
    }
    const now = await fingerprintOf(join(this.#home, consent.id), { all: true })
    if (now.integrity !== consent.fingerprint.integrity) {
      const what = differencesText(differencesOf(consent.fingerprint.files, now.files))
      const fix = `Put it right with: enigma modules update ${id}`
      const message = `The files of module '${id}' are not those that were agreed to: ${what} (recorded in ${consentFile(this.#home)}). ${fix}`
      throw new ModuleError('INTEGRITY', message, { module: id, file: consentFile(this.#home) })
    }
    const growth = growthOf(consent.permissions, permissionsOf(manifest))
    if (growth.length === 0) return
    const message = `Module '${id}' asks for more than was agreed to: ${growth.join('; ')}. Agree with: enigma modules update ${id}`
    throw new ModuleError('CONSENT_NEEDED', message, { module: id })
  }

  /** A command's code would run inside the program: only that of trusted modules may. @throws ModuleError `CONSENT_NEEDED` */
  async verifyCommand(manifest: Manifest, folder: string): Promise<void> {
    await this.verify(manifest, folder)
    if (!this.holds(folder) || this.#consentFor(folder)?.trusted) return
    const fix = `If you vouch for it: enigma modules update ${manifest.id} --trust`
    const message = `The commands of module '${manifest.id}' would run inside Enigma, which was not agreed to. ${fix}`
    throw new ModuleError('CONSENT_NEEDED', message, { module: manifest.id })
  }

  #consentFor(folder: string): Consent | undefined {
    return [...this.#consents.values()].find((consent) => this.#folderOf(consent) === folder)
  }

  #folderOf({ id, folder }: Consent): string {
    return join(this.#home, id, folder)
  }
}
