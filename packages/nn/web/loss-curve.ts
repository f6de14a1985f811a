import { type HostTensor, tensor } from '@enigma/tensor'
import { losses, nn, optim } from '../browser.js'

const steps = 20

/** A small regression that is trained the same way wherever it runs: the losses of its first steps, and what it predicts then. */
export async function lossCurve(): Promise<{ losses: number[]; prediction: number[] }> {
  const net = new nn.Sequential(
    new nn.Linear(4, 16, { seed: 1 }),
    new nn.Tanh(),
    new nn.LayerNorm(16),
    new nn.Linear(16, 1, { seed: 2 }),
  )
  const step = await net.compileStep({ loss: losses.mse, optimizer: optim.adamw({ lr: 0.02 }), clipNorm: 1 })
  const batch = (index: number): { x: HostTensor; y: HostTensor } => {
    const numbers = Array.from({ length: 32 }, (_, position) => Math.sin(1 + 37 * index + 1.3 * position))
    const targets = Array.from({ length: 8 }, (_, row) => numbers[4 * row]! * numbers[4 * row + 1]! + 0.5 * numbers[4 * row + 2]!)
    return { x: tensor(numbers, [8, 4]), y: tensor(targets, [8, 1]) }
  }
  const curve: number[] = []
  for (let index = 0; index < steps; index++) curve.push((await step(batch(index))).loss)
  await step.close()
  const prediction = await net.predict(batch(0).x)
  await net.release()
  return { losses: curve, prediction: Array.from(prediction.data as Float32Array) }
}
