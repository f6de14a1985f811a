import { expect, test } from 'vitest'
import { availableOfVmStat, MacMemory } from './mac-memory.js'

const answer = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                5000.
Pages active:                            300000.
Pages inactive:                          290000.
Pages speculative:                         4000.
Pages throttled:                              0.
Pages wired down:                        120000.
Pages purgeable:                           1000.
"Translation faults":                 999999999.
`

test('what can go at once counts as available', () => {
  expect(availableOfVmStat(answer)).toBe(16384 * (5000 + 290000 + 4000 + 1000))
})

test('anything else says nothing', () => {
  for (const text of ['', 'vm_stat: command not found', 'Pages free: 5000.', 'page size of 16384 bytes']) {
    expect(availableOfVmStat(text)).toBeUndefined()
  }
})

test.runIf(process.platform !== 'darwin')('where there is no vm_stat, nothing is known', () => {
  expect(new MacMemory().available).toBeUndefined()
})
