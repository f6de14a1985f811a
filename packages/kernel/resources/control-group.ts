import { posix } from 'node:path'

// What a control group (container, systemd unit, batch job) leaves of the machine. Limits nest: a group is bound by its own
// and by those of all groups around it. Both versions, also side by side; the files are read through `read`, for tests.

/** As `readText`. */
type ReadText = (path: string) => string | undefined

/** One version of the memory controller: where it may be mounted, and how its files are called. */
interface MemoryFiles {
  readonly mounts: readonly string[]
  readonly limits: readonly string[]
  readonly used: string
  /** Caches that the kernel gives back at once, in `memory.stat`; the first that is there counts, descendants included. */
  readonly caches: readonly RegExp[]
}

const memoryFiles: Readonly<Record<'v1' | 'v2', MemoryFiles>> = {
  v1: {
    mounts: ['/sys/fs/cgroup/memory'],
    limits: ['memory.limit_in_bytes'],
    used: 'memory.usage_in_bytes',
    caches: [/^total_inactive_file (\d+)/m, /^inactive_file (\d+)/m],
  },
  v2: {
    mounts: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'],
    // Above `high` a group is slowed down until it shrinks: as good as a limit.
    limits: ['memory.max', 'memory.high'],
    used: 'memory.current',
    caches: [/^inactive_file (\d+)/m],
  },
}

const cpuMounts = {
  v1: ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/cpuacct,cpu'],
  v2: memoryFiles.v2.mounts,
} as const

export class ControlGroup {
  readonly #read: ReadText
  readonly #ramTotal: number
  /** The groups around this process that have a memory limit. */
  readonly #memory: readonly { readonly folder: string; readonly files: MemoryFiles }[]
  /** Cores this process may use at a time; undefined without a limit. */
  readonly cpus: number | undefined

  /** @param ramTotal the machine's memory in bytes; limits above it are none */
  constructor(read: ReadText, ramTotal: number) {
    this.#read = read
    this.#ramTotal = ramTotal
    const member = membership(read('/proc/self/cgroup') ?? '')
    this.#memory = (['v1', 'v2'] as const).flatMap((version) => {
      const files = memoryFiles[version]
      return foldersOf(files.mounts, version === 'v1' ? member.get('memory') : member.get(''))
        .map((folder) => ({ folder, files }))
        .filter((group) => this.#limit(group) !== undefined)
    })
    const quotas = [
      ...foldersOf(cpuMounts.v1, member.get('cpu')).map((folder) =>
        quota(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)),
      ),
      ...foldersOf(cpuMounts.v2, member.get('')).map((folder) => quota(...(read(`${folder}/cpu.max`) ?? '').split(' '))),
    ].filter((cpus) => cpus !== undefined)
    this.cpus = quotas.length === 0 ? undefined : Math.min(...quotas)
  }

  /** The smallest memory limit around this process, in bytes; undefined without one. */
  get memoryLimit(): number | undefined {
    const limits = this.#memory.map((group) => this.#limit(group) ?? Number.POSITIVE_INFINITY)
    const least = Math.min(...limits)
    return Number.isFinite(least) ? least : undefined
  }

  /** Bytes that may still be taken before the nearest limit, now; undefined without a limit. */
  get memoryFree(): number | undefined {
    let free: number | undefined
    for (const group of this.#memory) {
      const limit = this.#limit(group)
      if (limit === undefined) continue
      const used = bytes(this.#read(`${group.folder}/${group.files.used}`))
      const stat = this.#read(`${group.folder}/memory.stat`) ?? ''
      const cache = bytes(group.files.caches.map((pattern) => pattern.exec(stat)?.[1]).find((found) => found !== undefined))
      const left = Math.max(0, limit - Math.max(0, used - cache))
      free = Math.min(free ?? left, left)
    }
    return free
  }

  // Version 1 writes a number near 2^63 for "no limit", version 2 the word "max".
  #limit({ folder, files }: { folder: string; files: MemoryFiles }): number | undefined {
    const limits = files.limits
      .map((name) => Number(this.#read(`${folder}/${name}`)))
      .filter((limit) => limit > 0 && limit < this.#ramTotal)
    return limits.length === 0 ? undefined : Math.min(...limits)
  }
}

/** `/proc/self/cgroup` → the group's path by controller; version 2 has the empty name. */
function membership(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    for (const name of controllers.split(',')) found.set(name, path)
  }
  return found
}

/**
 * The group's folder and those around it, innermost first, under each mount. Inside a container the path may be the host's,
 * which is not there: the mount itself is the container's group then, and it is always in the list.
 */
function foldersOf(mounts: readonly string[], path = '/'): string[] {
  const folders: string[] = []
  // A path that begins with `..` lies outside what this process sees; normalising it ends at the mount.
  for (let at = posix.normalize(`/${path}`); ; at = posix.dirname(at)) {
    for (const mount of mounts) folders.push(at === '/' ? mount : `${mount}${at}`)
    if (at === '/') return folders
  }
}

// A file that cannot be made sense of says nothing.
function bytes(text: string | undefined): number {
  const value = Number(text ?? 0)
  return Number.isFinite(value) && value > 0 ? value : 0
}

/** Quota and period in microseconds → whole cores, at least one. */
function quota(limit?: string, period?: string): number | undefined {
  const cpus = Number(limit) / Number(period)
  return Number.isFinite(cpus) && cpus > 0 ? Math.max(1, Math.floor(cpus)) : undefined
}
