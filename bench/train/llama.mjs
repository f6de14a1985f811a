// One sample of our side of the training suite: a child process that prints one JSON line.
import { createConfig, LlamaForCausalLM, languageModelingStep } from '@enigma/lm'
import { goldenParameters, goldenSeeds, goldenTokens, inputsAndTargets } from '../../packages/lm/dist/golden/generate.js'
import { adamwOf, measureTraining, requestedCase } from './measure.mjs'

const { config, batch, length, optimizer, threads, steps } = requestedCase()
const { inputs, targets } = inputsAndTargets(goldenTokens(goldenSeeds.batch, batch, length + 1, config.vocab), length)
const weights = goldenParameters(config)
const model = new LlamaForCausalLM(
  createConfig({
    vocabSize: config.vocab,
    dim: config.dim,
    layers: config.layers,
    heads: config.heads,
    kvHeads: config.kvHeads,
    hidden: config.hidden,
    rmsNormEps: config.normEps,
    ropeTheta: config.ropeTheta,
    context: length,
  }),
)
for (const [name, parameter] of model.namedParameters()) parameter.data.set(weights.get(name))

const step = await languageModelingStep(model, {
  optimizer: adamwOf(optimizer),
  clipNorm: optimizer.clipNorm,
  batch,
  length,
  threads,
})
const fill = () => {
  for (let i = 0; i < inputs.length; i++) {
    step.inputs.tokens.data[i] = BigInt(inputs[i])
    step.inputs.targets.data[i] = BigInt(targets[i])
  }
}
const result = await measureTraining({ items: batch * length, steps }, async () => (await step.step(fill)).loss)
console.log(JSON.stringify(result))
await step.close()
