// One sample of our side of the training suite: a child process that prints one JSON line.
import { createConfig, LlamaForCausalLM, languageModelingStep } from '@enigma/lm'
import { optim } from '@enigma/nn'
import { measureTraining, trainingCase } from './measure.mjs'

const { config, batch, length, inputs, targets, weights, optimizer, threads, ...rest } = trainingCase()
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

const { learningRate: lr, beta1, beta2, epsilon: eps, weightDecay, clipNorm } = optimizer
const step = await languageModelingStep(model, {
  optimizer: optim.adamw({ lr, betas: [beta1, beta2], eps, weightDecay }),
  clipNorm,
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
const result = await measureTraining(
  { config, batch, length, inputs, targets, weights, optimizer, threads, ...rest },
  async () => (await step.step(fill)).loss,
)
console.log(JSON.stringify(result))
await step.close()
