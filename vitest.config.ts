import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests run from `dist`, as everything does. The list is made from the sources, so a test whose source is gone
// never runs from a stale build.
const skipped = new Set(['node_modules', 'dist'])

function tests(folder: string, root: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : tests(path, root)
    if (!entry.name.endsWith('.test.ts')) return []
    return [join(root, 'dist', path.slice(root.length + 1)).replace(/\.ts$/, '.js')]
  })
}

const roots = ['packages', 'modules', 'apps'].flatMap((group) =>
  readdirSync(group, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(group, entry.name)),
)

export default defineConfig({
  test: {
    include: [
      ...roots.flatMap((root) => tests(root, root)),
      'scripts/**/*.test.mjs',
      'bench/**/*.test.mjs',
      'docs/**/*.test.mjs',
    ],
    exclude: ['**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
