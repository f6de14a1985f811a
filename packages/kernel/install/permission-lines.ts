import type { Manifest } from '../manifest/manifest.js'

/** What a module asks to be allowed, in words, for people to agree to. Pure. */
export function permissionLines({ runtime, permissions: { fs, net, child }, cloud }: Manifest): string[] {
  const inside = runtime === 'inproc' || runtime === 'worker'
  return [
    fs.length > 0 ? `asks to use the files ${fs.join(', ')}` : 'asks for no files',
    net.length > 0 ? `asks to reach ${net.join(', ')}` : 'asks for no network',
    child ? 'asks to start programs' : 'asks to start no programs',
    ...(cloud === false ? [] : ['sends what it is given to a cloud service']),
    ...(inside ? ['NOT enforced: inside Enigma it can do whatever Enigma can'] : []),
  ]
}
