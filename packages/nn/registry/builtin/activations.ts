import type { UnaryLayer } from '../../layer.js'
import * as layers from '../../layers/index.js'
import type { CheckedConfig, LayerParameters } from '../layer-config.js'
import { type LayerType, layerType } from '../layer-registry.js'

/** An activation: its name is PyTorch's, its type the same in small letters. */
function activation<const P extends LayerParameters>(
  displayName: string,
  description: string,
  parameters: P,
  make: (config: CheckedConfig<P>) => UnaryLayer,
): LayerType {
  const metadata = { type: displayName.toLowerCase(), displayName, description, category: 'Activation', parameters } as const
  return layerType<P>(metadata, make as Parameters<typeof layerType<P>>[1])
}

/** One without settings. */
const plain = (displayName: string, description: string, Activation: new () => UnaryLayer) =>
  activation(displayName, description, {}, () => new Activation())

/** One along a dimension. */
const along = (displayName: string, description: string, Activation: new (axis: number) => UnaryLayer) =>
  activation(
    displayName,
    description,
    { axis: { type: 'integer', description: 'dimension it works along, the batch being 0', default: -1 } },
    ({ axis }) => new Activation(axis),
  )

const number = (description: string, value: number) => ({ type: 'number', description, default: value }) as const

export const activations: readonly LayerType[] = [
  plain('Identity', 'x as it is: a placeholder', layers.Identity),
  plain('ReLU', 'max(x, 0)', layers.ReLU),
  plain('ReLU6', 'x limited to 0 … 6', layers.ReLU6),
  plain('SELU', 'elu with the constants that keep mean 0 and variance 1', layers.SELU),
  plain('SiLU', 'x · sigmoid(x)', layers.SiLU),
  plain('Mish', 'x · tanh(softplus(x))', layers.Mish),
  plain('Tanh', 'hyperbolic tangent of x', layers.Tanh),
  plain('Tanhshrink', 'x - tanh(x)', layers.Tanhshrink),
  plain('Sigmoid', '1 / (1 + e^-x)', layers.Sigmoid),
  plain('LogSigmoid', 'log(sigmoid(x))', layers.LogSigmoid),
  plain('Softsign', 'x / (1 + |x|)', layers.Softsign),
  plain('Hardswish', 'x · hardsigmoid(x)', layers.Hardswish),
  plain('Hardsigmoid', 'x / 6 + 1/2, limited to 0 … 1', layers.Hardsigmoid),
  along('GLU', 'first half of x times the sigmoid of the second', layers.GLU),
  along('Softmax', 'e^x / Σ e^x along a dimension', layers.Softmax),
  along('Softmin', 'softmax(-x) along a dimension', layers.Softmin),
  along('LogSoftmax', 'log(softmax(x)) along a dimension', layers.LogSoftmax),
  activation(
    'LeakyReLU',
    'x where x > 0, else negativeSlope · x',
    { negativeSlope: number('slope below 0', 0.01) },
    ({ negativeSlope }) => new layers.LeakyReLU(negativeSlope),
  ),
  activation(
    'ELU',
    'x where x > 0, else alpha · (e^x - 1)',
    { alpha: number('depth below 0', 1) },
    ({ alpha }) => new layers.ELU(alpha),
  ),
  activation(
    'CELU',
    'x where x > 0, else alpha · (e^(x / alpha) - 1)',
    { alpha: number('depth below 0', 1) },
    ({ alpha }) => new layers.CELU(alpha),
  ),
  activation(
    'GELU',
    'x · Φ(x), or its approximation with tanh',
    {
      approximate: { type: 'string', description: 'how Φ is computed', default: 'none', values: ['none', 'tanh'] },
    },
    (options) => new layers.GELU(options),
  ),
  activation(
    'Softplus',
    'log(1 + e^(beta · x)) / beta',
    { beta: number('sharpness of the bend', 1), threshold: number('from beta · x above this on it is x', 20) },
    (options) => new layers.Softplus(options),
  ),
  activation(
    'Hardtanh',
    'x limited to minVal … maxVal',
    { minVal: number('least result', -1), maxVal: number('largest result', 1) },
    ({ minVal, maxVal }) => new layers.Hardtanh(minVal, maxVal),
  ),
  activation(
    'PReLU',
    'x where x > 0, else a learned weight · x',
    {
      numParameters: { type: 'integer', description: 'one weight, or one for each channel', default: 1, minimum: 1 },
      init: number('first weight', 0.25),
    },
    ({ numParameters, init }) => new layers.PReLU(numParameters, init),
  ),
]
