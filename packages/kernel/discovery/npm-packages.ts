import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'

// npm packages that are modules: they have the keyword `enigma-module` and export `./module.yaml`. Only package.json is read.

const keyword = 'enigma-module'
/** Files open at a time. */
const atOnce = 64

/** The folders of the module packages in a `node_modules` folder; packages that others brought along are found too. */
export async function packagesIn(nodeModules: string): Promise<string[]> {
  const names = await packageNames(nodeModules)
  const found: string[] = []
  for (let i = 0; i < names.length; i += atOnce) {
    const batch = names.slice(i, i + atOnce).map((name) => modulePackage(join(nodeModules, name)))
    for (const folder of await Promise.all(batch)) if (folder !== undefined) found.push(folder)
  }
  return found
}

async function packageNames(nodeModules: string): Promise<string[]> {
  const top = (await readdir(nodeModules)).filter((name) => !name.startsWith('.'))
  const scoped = top
    .filter((name) => name.startsWith('@'))
    .map(async (scope) => (await readdir(join(nodeModules, scope)).catch(() => [])).map((name) => join(scope, name)))
  return [...top.filter((name) => !name.startsWith('@')), ...(await Promise.all(scoped)).flat()]
}

async function modulePackage(folder: string): Promise<string | undefined> {
  try {
    const text = await readFile(join(folder, 'package.json'), 'utf8')
    // Most packages are none of ours: parsing is for those that may be.
    if (!text.includes(keyword)) return undefined
    const described: unknown = JSON.parse(text)
    return isModulePackage(described) ? await realpath(folder) : undefined
  } catch {
    return undefined
  }
}

/** Whether a parsed package.json is that of a module. */
function isModulePackage(described: unknown): boolean {
  const { keywords, exports } = (described ?? {}) as { keywords?: unknown; exports?: unknown }
  const exported = (exports ?? {}) as Readonly<Record<string, unknown>>
  return Array.isArray(keywords) && keywords.includes(keyword) && './module.yaml' in Object(exported)
}
