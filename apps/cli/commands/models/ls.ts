import { command } from '../../command.js'
import { bytes, count } from '../../output/format.js'

export const modelsLs = command({
  name: 'models ls',
  summary: 'the models on this machine',
  async run({ out }) {
    const { findModels, modelRoots } = await import('enigma')
    const roots = modelRoots()
    const found = await findModels(roots)
    const value = found.map((model) =>
      model.status === 'ok'
        ? { ...model, modified: model.modified.toISOString() }
        : {
            name: model.name,
            folder: model.folder,
            status: model.status,
            error: { code: model.error.code, message: model.error.message },
          },
    )
    if (found.length === 0 && !out.json) {
      out.text(`No models in ${roots.join(', ')}. Train one: enigma train --data book.txt`)
      return 0
    }
    await out.table(
      value,
      ['name', 'preset', 'parameters', 'precision', 'size', 'folder'],
      found.map((model) =>
        model.status === 'ok'
          ? [model.name, model.preset ?? '-', count(model.parameters), model.dtype, bytes(model.bytes), model.folder]
          : [model.name, out.color.red('broken'), '-', '-', '-', model.folder],
      ),
    )
    for (const model of found) if (model.status === 'broken') out.warn(`${model.name}: ${model.error.message}`)
    return 0
  },
})
