import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { ManifestReader } from '@enigma/kernel'
import { PRESETS, preset } from '@enigma/lm'
import { expect, test } from 'vitest'
import { resolveModel } from '../../resolve-model.js'
import { saveTinyModel, temporaryFolder } from '../tiny-model.test.fixture.js'

test('a name is found in the first root that has it, a folder is taken as it is', async () => {
  await using a = await temporaryFolder()
  await using b = await temporaryFolder()
  await saveTinyModel(join(a.path, 'owl'))
  await saveTinyModel(join(b.path, 'owl'))
  await saveTinyModel(join(b.path, 'storyteller'))
  expect(await resolveModel({ model: 'owl' }, [a.path, b.path])).toBe(join(a.path, 'owl'))
  expect(await resolveModel({ model: 'owl' }, [b.path, a.path])).toBe(join(b.path, 'owl'))
  expect(await resolveModel({ model: join(b.path, 'owl') }, [])).toBe(join(b.path, 'owl'))
  expect(await resolveModel({}, [a.path, b.path])).toBe(join(b.path, 'storyteller'))
})

test('a name that no root has is refused with the names there are', async () => {
  await using root = await temporaryFolder()
  await saveTinyModel(join(root.path, 'owl'))
  await expect(resolveModel({ model: 'raven' }, [root.path])).rejects.toThrow(
    "No model 'raven'. There is: owl, or pass the folder of a model.",
  )
  await expect(resolveModel({ model: './nowhere' }, [root.path])).rejects.toThrow(/No model folder at .*nowhere/)
})

test('a size is the newest model of that preset, or an error that says what to do', async () => {
  await using root = await temporaryFolder()
  const { dim, layers, heads, kvHeads } = preset('nano')
  for (const [name, seconds] of [
    ['old', 1000],
    ['new', 2000],
    ['older', 500],
  ] as const) {
    await saveTinyModel(join(root.path, name), { dim, layers, heads, kvHeads })
    await utimes(join(root.path, name, 'config.json'), seconds, seconds)
  }
  expect(await resolveModel({ size: 'nano' }, [root.path])).toBe(join(root.path, 'new'))
  await expect(resolveModel({ size: 'small' }, [root.path])).rejects.toThrow(
    /^No trained 'small' model\. Run enigma train --size small, or pass \{ model: 'storyteller' \}$/,
  )
  await expect(resolveModel({ size: 'nano', model: 'old' }, [root.path])).rejects.toThrow(/not both/)
})

test('the manifest offers every preset, and no other size', async () => {
  const result = new ManifestReader().read(await readFile(join(import.meta.dirname, '../../../module.yaml'), 'utf8'))
  const properties = (result.ok ? result.manifest.config?.properties : {}) as { size?: { enum: string[] } }
  expect(properties.size?.enum).toEqual(PRESETS.map(({ name }) => name))
})
