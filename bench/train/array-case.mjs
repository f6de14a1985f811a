import {
  goldenParameter,
  goldenParameterSpec,
  goldenSeeds,
  goldenTokens,
  inputsAndTargets,
} from '../../packages/lm/dist/golden/generate.js'
import { requestedCase } from './measure.mjs'

/** The case asked for, with tokens as one-hot rows and weights as numbers, for libraries of arrays. */
export function arrayCase() {
  const found = requestedCase()
  const { config, batch, length } = found
  const { inputs, targets } = inputsAndTargets(goldenTokens(goldenSeeds.batch, batch, length + 1, config.vocab), length)
  const oneHot = (ids) => {
    const rows = new Float32Array(ids.length * config.vocab)
    for (const [row, id] of ids.entries()) rows[row * config.vocab + id] = 1
    return rows
  }
  return {
    ...found,
    inputs: oneHot(inputs),
    targets: oneHot(targets),
    oneHotShape: [batch * length, config.vocab],
    weights: goldenParameterSpec(config).map(({ name, shape }, ordinal) => ({
      name,
      shape,
      data: goldenParameter(ordinal, shape),
    })),
  }
}
