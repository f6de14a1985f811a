import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { WebPages } from '@enigma/contracts'
import { defineModule, ModuleError } from '@enigma/kernel'
import { readPages } from './pages.js'
import type { Gui } from './types.js'

export type { Gui } from './types.js'

/** Shows the console on the server's address as long as it is loaded. */
export default defineModule<Record<string, never>, Gui>({
  async load(ctx) {
    const web = ctx.use(WebPages)
    const pages = await readPages(consoleFolder())
    ctx.onDispose(web.serve(pages), 'pages')
    return { url: web.url }
  },
})

/** @throws ModuleError when the console is not built */
function consoleFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('@enigma/console/web/index.html'))
  } catch (cause) {
    throw new ModuleError('LOAD_FAILED', 'The console is not built. Run: npm run build', { module: 'gui', cause })
  }
}
