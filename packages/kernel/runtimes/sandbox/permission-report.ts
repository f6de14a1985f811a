import type { Manifest } from '../../manifest/manifest.js'
import { toMB } from '../../units.js'
import { isJavaScript } from './languages.js'
import type { Platform } from './platform.js'

/** What a module may do in one respect, and who sees to it that it does no more. */
export interface PermissionLine {
  readonly permission: 'files' | 'network' | 'programs' | 'processes' | 'memory' | 'environment'
  /** Whether the manifest asks for it. */
  readonly granted: boolean
  /** Who holds the module to it; undefined when nobody does. */
  readonly enforcedBy: string | undefined
  /** The whole in words: what is granted or denied, and enforced by what, or NOT enforced and why. */
  readonly text: string
}

type Asked = Pick<Manifest, 'id' | 'runtime' | 'entry' | 'permissions' | 'resources'>
type Draft = Omit<PermissionLine, 'text'> & { readonly what: string; readonly why?: string }

/** What a module's runtime would hold it to on a platform, for people to consent to. Pure. */
export function permissionReport(manifest: Asked, platform: Platform): PermissionLine[] {
  return reports[manifest.runtime](manifest, platform).map(({ what, why, ...line }) => ({
    ...line,
    text: `${what}: ${line.enforcedBy === undefined ? `NOT enforced, ${why}` : `enforced by ${line.enforcedBy}`}`,
  }))
}

const reports: Readonly<Record<Manifest['runtime'], (manifest: Asked, platform: Platform) => Draft[]>> = {
  inproc: (manifest) => unconfined(manifest, 'as it runs inside the program itself and can do whatever the program can'),
  worker: (manifest) => unconfined(manifest, 'as a thread shares the whole program with it'),
  process: (manifest, platform) => [
    files(manifest, platform),
    network(manifest, platform),
    programs(manifest, platform),
    processes(platform),
    memory(manifest, platform),
    environment(manifest, platform),
  ],
  wasm: ({ resources }) => [
    ...(['files', 'network', 'programs', 'processes', 'environment'] as const).map((permission) => ({
      permission,
      granted: false,
      enforcedBy: 'WebAssembly',
      what: `has no access to ${permission}`,
    })),
    {
      permission: 'memory',
      granted: false,
      enforcedBy: 'WebAssembly',
      what: `holds at most ${resources.ram > 0 ? `${toMB(resources.ram)} MB` : '64 MB'} of memory`,
    },
  ],
  remote: ({ entry }) => [
    {
      permission: 'network',
      granted: true,
      enforcedBy: undefined,
      what: `runs at ${entry}: whatever is passed to it goes there`,
      why: 'as nobody can see what it does with it',
    },
  ],
}

function unconfined({ permissions: { fs, net, child } }: Asked, why: string): Draft[] {
  const free = (permission: Draft['permission'], granted: boolean, what: string) => ({
    permission,
    granted,
    enforcedBy: undefined,
    what,
    why,
  })
  return [
    free('files', fs.length > 0, fs.length > 0 ? `asks to use ${list(fs)}` : 'asks for no files'),
    free('network', net.length > 0, net.length > 0 ? `asks to reach ${list(net)}` : 'asks for no network'),
    free('programs', child, child ? 'asks to start programs' : 'asks to start no programs'),
  ]
}

function files({ entry, permissions: { fs, child } }: Asked, platform: Platform): Draft {
  const { bubblewrap, nodePermission } = platform
  const own = 'reads its own folder and the packages beside it'
  const what = fs.length > 0 ? `${own}, and uses ${list(fs)}; no other files` : `${own}; no other files, and writes none`
  const line = { permission: 'files', granted: fs.length > 0, what } as const
  if (bubblewrap) return { ...line, enforcedBy: 'bubblewrap' }
  if (!isJavaScript(entry)) return { ...line, enforcedBy: undefined, why: noBubblewrap('it is not JavaScript') }
  if (!nodePermission) return { ...line, enforcedBy: undefined, why: noBubblewrap('this Node has no permission checks') }
  if (child)
    return { ...line, enforcedBy: undefined, why: noBubblewrap('the programs it may start are not bound by what Node denies it') }
  return { ...line, enforcedBy: byNode(platform) }
}

function network({ entry, permissions: { net } }: Asked, { bubblewrap, nodePermission, nodeNetwork }: Platform): Draft {
  const nodeDenies = isJavaScript(entry) && nodePermission !== undefined && nodeNetwork
  if (net.length > 0) {
    const why = 'as neither Node nor bubblewrap can limit it to these hosts: it may reach any'
    return { permission: 'network', granted: true, enforcedBy: undefined, what: `reaches ${list(net)}`, why }
  }
  const line = { permission: 'network', granted: false, what: 'has no network' } as const
  if (bubblewrap) return { ...line, enforcedBy: 'bubblewrap' }
  if (nodeDenies) return { ...line, enforcedBy: 'Node' }
  return {
    ...line,
    enforcedBy: undefined,
    why: noBubblewrap(isJavaScript(entry) ? 'this Node cannot deny it' : 'it is not JavaScript'),
  }
}

function programs({ entry, permissions: { child } }: Asked, platform: Platform): Draft {
  const { bubblewrap, nodePermission } = platform
  if (child) {
    const what = 'starts programs and loads native code'
    const why = noBubblewrap('such code can do whatever you can')
    return { permission: 'programs', granted: true, enforcedBy: bubblewrap && 'bubblewrap, which confines them too', what, why }
  }
  const line = { permission: 'programs', granted: false, what: 'starts no programs and loads no native code' } as const
  if (isJavaScript(entry) && nodePermission) return { ...line, enforcedBy: byNode(platform) }
  const why = bubblewrap
    ? 'but bubblewrap confines what it starts'
    : noBubblewrap(isJavaScript(entry) ? 'this Node has no permission checks' : 'it is not JavaScript')
  return { ...line, enforcedBy: undefined, why }
}

function processes({ bubblewrap }: Platform): Draft {
  const line = { permission: 'processes', granted: false, what: 'cannot see or end your other programs' } as const
  return bubblewrap
    ? { ...line, enforcedBy: 'bubblewrap' }
    : { ...line, enforcedBy: undefined, why: noBubblewrap('it runs as you') }
}

function environment(manifest: Asked, platform: Platform): Draft {
  const line = { permission: 'environment', granted: false, what: 'sees no environment variables of yours' } as const
  // Systems show a program's variables to all others of the same user.
  return files(manifest, platform).enforcedBy
    ? { ...line, enforcedBy: 'an environment of its own (PATH, HOME, LANG, TMPDIR, TZ)' }
    : { ...line, enforcedBy: undefined, why: 'as it is given none of them, but can read those of your running programs' }
}

function memory({ entry, resources: { ram } }: Asked, { os }: Platform): Draft {
  if (ram === 0) {
    const why = "as its manifest names no 'resources.ram'"
    return { permission: 'memory', granted: true, enforcedBy: undefined, what: 'takes as much memory as there is', why }
  }
  const line = { permission: 'memory', granted: true, what: `takes at most about ${toMB(ram)} MB of memory` } as const
  if (os === 'linux') return { ...line, enforcedBy: 'the operating system' }
  if (isJavaScript(entry)) return { ...line, enforcedBy: 'Node, for JavaScript objects only: buffers are not counted' }
  return { ...line, enforcedBy: undefined, why: `as ${os} has no limit for it` }
}

function byNode({ nodePermission }: Platform): string {
  return nodePermission === '--permission' ? 'Node' : 'Node, by checks that are experimental in this version'
}

function noBubblewrap(because: string): string {
  return `as ${because} and bubblewrap is not there or does not work here`
}

function list(items: readonly string[]): string {
  return items.join(', ')
}
