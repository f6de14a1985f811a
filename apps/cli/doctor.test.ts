import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

interface Report {
  readonly ok: boolean
  readonly findings: readonly { readonly what: string; readonly status: string; readonly found: string; readonly fix?: string }[]
}

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

describe('doctor', () => {
  it('looks at everything, and finds the native library and the modules in order', async () => {
    const { stdout } = await place.run(['doctor', '--json'])
    const { findings } = JSON.parse(stdout) as Report
    const looked = ['Node', 'native library', 'modules', 'shipped model', 'memory', 'disk', 'home folder']
    expect(findings.map(({ what }) => what)).toEqual(looked)
    for (const what of ['Node', 'native library', 'modules', 'home folder']) {
      expect(findings.find((finding) => finding.what === what)).toMatchObject({ status: 'fine' })
    }
  })

  it('names what is broken, with the fix, and ends with 1', async () => {
    // A file where the home folder should be.
    const home = await place.write('file', '')
    const { code, stdout } = await place.run(['doctor'], { env: { ENIGMA_HOME: home } })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^FAIL {2}home folder/m)
    expect(stdout).toContain('fix: Make it writable, or set ENIGMA_HOME')
  })
})
