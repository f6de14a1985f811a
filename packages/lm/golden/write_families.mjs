// Writes the golden model of each family as our model folder, for `families.py check`: node write_families.mjs DIR
import { join } from 'node:path'
import { saveModel } from '../dist/checkpoint/save-model.js'
import { goldenFamilies, loadFamily } from '../dist/formats/golden.test.support.js'

for (const name of goldenFamilies) {
  const { config, weights } = await loadFamily(name)
  await saveModel(join(process.argv[2], name), { config, tensors: weights, tokenizerJson: '{}' })
}
