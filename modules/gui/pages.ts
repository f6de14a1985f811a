import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import type { PageRequest, WebPage } from '@enigma/contracts'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const tokenTag = '<meta name="enigma-token" content="">'

/**
 * The files of a folder by their paths. They are read once and looked up by name, so that no path leads out of the folder.
 * Names under `assets/` hold a hash of what is in them: a browser may keep those for good.
 */
export async function readPages(folder: string): Promise<(request: PageRequest) => WebPage | undefined> {
  const files = new Map<string, WebPage>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${relative(folder, file).split(sep).join('/')}`
    const body = await readFile(file)
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    const cacheControl = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    files.set(path, { body, type: types[extname(path)] ?? 'application/octet-stream', cacheControl, etag })
  }
  const index = String(files.get('/index.html')?.body ?? '')
  files.delete('/index.html')
  return ({ path, token = '' }) =>
    path === '/'
      ? // The token is a secret, and another one after each start.
        { body: index.replace(tokenTag, tokenTag.replace('""', `"${token}"`)), type: types['.html']!, cacheControl: 'no-store' }
      : files.get(path)
}
