import type { CachedModel, FoundModel } from 'enigma'
import { command } from '../../command.js'
import { bytes, count } from '../../output/format.js'

type Found = FoundModel | CachedModel

export const modelsLs = command({
  name: 'models ls',
  summary: 'the models on this machine, also those in the Hugging Face cache',
  async run({ out }) {
    const { findCachedModels, findModels, modelRoots } = await import('enigma')
    const roots = modelRoots()
    const found = [...(await findModels(roots)), ...(await findCachedModels())]
    const value = found.map(plain)
    if (found.length === 0 && !out.json) {
      out.text(`No models in ${roots.join(', ')}. Train one: enigma train --data book.txt`)
      return 0
    }
    await out.table(
      value,
      ['name', 'preset', 'parameters', 'precision', 'size', 'folder'],
      found.map((model) => row(model, out.color.red)),
    )
    for (const model of found) if (model.status === 'broken') out.warn(`${model.name}: ${model.error.message}`)
    return 0
  },
})

/** For JSON: dates and errors in plain values. */
function plain(model: Found): Record<string, unknown> {
  if (model.status === 'ok') return { ...model, modified: model.modified.toISOString() }
  if (model.status === 'broken') return { ...model, error: { code: model.error.code, message: model.error.message } }
  return { ...model }
}

function row(model: Found, red: (text: string) => string): string[] {
  const name = 'commit' in model ? `${model.name}@${model.commit.slice(0, 7)}` : model.name
  switch (model.status) {
    case 'ok':
      return [name, model.preset ?? '-', count(model.parameters), model.dtype, bytes(model.bytes), model.folder]
    case 'gguf':
      return [name, '-', '-', 'GGUF', bytes(model.bytes), model.file]
    case 'broken':
      return [name, red('broken'), '-', '-', '-', model.folder]
  }
}
