import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ControlGroup } from './control-group.js'

const machine = 64_000
const group = (files: Readonly<Record<string, string>>) => new ControlGroup((path) => files[path], machine)
const limits = ({ memoryLimit, memoryFree, cpus }: ControlGroup) => ({ memoryLimit, memoryFree, cpus })

test('a machine without control groups has no limits', () => {
  expect(limits(group({}))).toEqual({ memoryLimit: undefined, memoryFree: undefined, cpus: undefined })
})

test('version 2: the nearest limit of all groups around the process counts', () => {
  const nested = group({
    '/proc/self/cgroup': '0::/user.slice/job.scope',
    '/sys/fs/cgroup/user.slice/job.scope/memory.max': '8000',
    '/sys/fs/cgroup/user.slice/job.scope/memory.current': '3000',
    '/sys/fs/cgroup/user.slice/job.scope/memory.stat': 'anon 2500\ninactive_file 500',
    '/sys/fs/cgroup/user.slice/job.scope/cpu.max': '400000 100000',
    '/sys/fs/cgroup/user.slice/memory.max': '10000',
    '/sys/fs/cgroup/user.slice/memory.current': '9000',
    '/sys/fs/cgroup/user.slice/cpu.max': '250000 100000',
    '/sys/fs/cgroup/memory.max': 'max',
    '/sys/fs/cgroup/cpu.max': 'max 100000',
  })
  expect(limits(nested)).toEqual({ memoryLimit: 8000, memoryFree: 1000, cpus: 2 })
})

test('version 2: a group is slowed down above memory.high, so it counts as a limit', () => {
  const files = { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/memory.max': 'max', '/sys/fs/cgroup/memory.high': '5000' }
  expect(limits(group(files))).toMatchObject({ memoryLimit: 5000, memoryFree: 5000 })
})

test('version 1: nested groups, caches of all descendants, quota and period', () => {
  const nested = group({
    '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/',
    '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': '9223372036854771712',
    '/sys/fs/cgroup/memory/docker/memory.limit_in_bytes': '6000',
    '/sys/fs/cgroup/memory/docker/memory.usage_in_bytes': '5000',
    '/sys/fs/cgroup/memory/docker/memory.stat': 'inactive_file 1\ntotal_inactive_file 2000',
    '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '50000',
    '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000',
    '/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us': '-1',
    '/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us': '100000',
  })
  expect(limits(nested)).toEqual({ memoryLimit: 6000, memoryFree: 3000, cpus: 1 })
})

test("inside a container the host's path is not there: the mount is the container's group", () => {
  for (const path of ['/docker/abc', '/../../elsewhere']) {
    const files = {
      '/proc/self/cgroup': `0::${path}`,
      '/sys/fs/cgroup/memory.max': '4000',
      '/sys/fs/cgroup/memory.current': '1000',
    }
    expect(limits(group(files))).toMatchObject({ memoryLimit: 4000, memoryFree: 3000 })
  }
})

test('a limit that is lowered while we run counts at once', () => {
  const files: Record<string, string> = { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/memory.max': '4000' }
  const live = group(files)
  files['/sys/fs/cgroup/memory.max'] = '3000'
  expect(limits(live)).toMatchObject({ memoryLimit: 3000, memoryFree: 3000 })
})

test('whatever the files say, limits are positive numbers below the machine or none', () => {
  const text = fc.oneof(
    fc.constantFrom('max', '-1', '0', '1e999', 'NaN', '0 0', 'max 0', '5000 0'),
    fc.string(),
    fc.integer().map(String),
  )
  const names = [
    '/proc/self/cgroup',
    '/sys/fs/cgroup/memory.max',
    '/sys/fs/cgroup/memory.current',
    '/sys/fs/cgroup/memory.stat',
    '/sys/fs/cgroup/cpu.max',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes',
  ]
  fc.assert(
    fc.property(fc.array(text, { minLength: names.length, maxLength: names.length }), (texts) => {
      const { memoryLimit, memoryFree, cpus } = group(Object.fromEntries(names.map((name, i) => [name, texts[i]!])))
      if (memoryLimit !== undefined) expect(memoryLimit > 0 && memoryLimit < machine).toBe(true)
      if (memoryFree !== undefined) expect(memoryFree >= 0 && memoryFree <= machine).toBe(true)
      if (cpus !== undefined) expect(Number.isInteger(cpus) && cpus >= 1).toBe(true)
    }),
  )
})
