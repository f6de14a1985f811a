import { dirname } from 'node:path'
import type { Manifest } from '../../manifest/manifest.js'
import type { GrantedPath } from './granted-paths.js'

/** What programs need of the system to run at all: programs, libraries, time zones, certificates; nothing of the user's. */
const system = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/nix/store',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/localtime',
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
]
/** What names of hosts need. */
const resolving = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/run/systemd/resolve']

/** The command line that runs `command` in a file system with only what is granted, its own processes, and no network unless granted. */
export function bubblewrapCommand(
  bubblewrap: string,
  { permissions }: Pick<Manifest, 'permissions'>,
  readable: readonly string[],
  granted: readonly GrantedPath[],
  command: readonly string[],
): string[] {
  const net = permissions.net.length > 0
  const show = (way: string, paths: readonly string[]) => paths.flatMap((path) => [way, path, path])
  return [
    bubblewrap,
    '--die-with-parent',
    '--new-session',
    '--unshare-all',
    ...(net ? ['--share-net'] : []),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    ...show('--ro-bind-try', [...system, ...(net ? resolving : []), dirname(dirname(process.execPath)), ...readable]),
    ...granted.flatMap(({ path, write }) => [write ? '--bind-try' : '--ro-bind-try', path, path]),
    '--',
    ...command,
  ]
}
