import type { Attributes } from '../program.js'
import type { Tensor } from '../tensor.js'
import { broadcast, defineOps, expectDtype, shapeError } from './define.js'
import { pick, unary, unbroadcast } from './elementwise.js'

const float = (name: string) => (attributes: Attributes) => ({ [name]: { float: attributes[name] as number } })

/** Constants of Klambauer et al. 2017. */
const selu = { alpha: 1.6732632423543772, scale: 1.0507009873554805 }

/** Cumulative and density function of the standard normal distribution. */
const gaussian = (x: Tensor) => x.mul(Math.SQRT1_2).erf().add(1).mul(0.5)
const gaussianDensity = (x: Tensor) =>
  x
    .square()
    .mul(-0.5)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI))

/** Nonlinearities that have a kernel of their own. Those that are made of other ops at no cost are functions. */
export const activations = defineOps({
  sigmoid: unary('sigmoid', 'Sigmoid', '1 / (1 + e^-x)', { vjp: (_x, dy, y) => dy.mul(y).mul(y.neg().add(1)) }),
  relu: unary('relu', 'Relu', 'max(x, 0); derivative 0 at 0', {
    vjp: (_x, dy, y): Tensor => dy.builder.apply('reluGradient', [dy, y])[0]!,
  }),
  reluGradient: {
    summary: 'dy where y > 0, else 0: the derivative of relu by its result',
    infer([dy, y]) {
      expectDtype('reluGradient', dy!, 'f32')
      expectDtype('reluGradient', y!, 'f32')
      return [{ shape: broadcast('reluGradient', dy!.shape, y!.shape), dtype: 'f32' }]
    },
    vjp: ({ inputs: [dy, y], gradients: [g] }): (Tensor | undefined)[] => [
      unbroadcast(g!.builder.apply('reluGradient', [g!, y!])[0]!, dy!),
      undefined,
    ],
    lower({ inputs: [dy, y], outputs: [dx], emit }) {
      // min(1, max(0, 3e38 · y)) is 1 for every positive normal number: twice as fast as Greater and Where.
      const mask = emit('HardSigmoid', [y!.name], { alpha: { float: 3e38 }, beta: { float: 0 } })
      emit('Mul', [dy!.name, mask], {}, { outputs: [dx!.name] })
    },
  },
  leakyRelu: unary('leakyRelu', 'LeakyRelu', 'x where x > 0, else alpha · x', {
    attributes: float('alpha'),
    vjp: (x, dy, _y, { alpha }) => dy.mul(pick(x.greater(0), 1, alpha as number)),
  }),
  prelu: {
    summary: 'x where x > 0, else slope · x, with slopes that broadcast to x (He et al. 2015)',
    infer([x, slope]) {
      expectDtype('prelu', x!, 'f32')
      expectDtype('prelu', slope!, 'f32')
      if (broadcast('prelu', x!.shape, slope!.shape).join() !== x!.shape.join())
        throw shapeError('prelu', 'the slopes must broadcast to x', [x!.shape, slope!.shape])
      return [{ shape: x!.shape, dtype: 'f32' }]
    },
    vjp({ inputs: [x, slope], gradients: [dy] }) {
      const positive = x!.greater(0)
      return [dy!.mul(pick(positive, 1, slope!)), unbroadcast(pick(positive, 0, dy!.mul(x!)), slope!)]
    },
    lower({ inputs: [x, slope], outputs: [y], emit }) {
      emit('PRelu', [x!.name, slope!.name], {}, { outputs: [y!.name] })
    },
  },
  elu: unary('elu', 'Elu', 'x where x > 0, else alpha · (e^x - 1) (Clevert et al. 2015)', {
    attributes: float('alpha'),
    vjp: (x, dy, y, { alpha }) => dy.mul(pick(x.greater(0), 1, y.add(alpha as number))),
  }),
  celu: unary('celu', 'Celu', 'x where x > 0, else alpha · (e^(x / alpha) - 1) (Barron 2017)', {
    attributes: float('alpha'),
    vjp: (x, dy, y, { alpha }) => dy.mul(pick(x.greater(0), 1, y.mul(1 / (alpha as number)).add(1))),
  }),
  selu: unary(
    'selu',
    'Selu',
    'scale · elu(x, alpha) with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017)',
    {
      attributes: () => ({ alpha: { float: selu.alpha }, gamma: { float: selu.scale } }),
      vjp: (x, dy, y) => dy.mul(pick(x.greater(0), selu.scale, y.add(selu.scale * selu.alpha))),
    },
  ),
  gelu: unary('gelu', 'Gelu', 'x · Φ(x), Φ being the normal distribution (Hendrycks and Gimpel 2016)', {
    domain: 'com.microsoft',
    vjp: (x, dy) => dy.mul(gaussian(x).add(x.mul(gaussianDensity(x)))),
  }),
  geluTanh: unary('geluTanh', 'FastGelu', 'x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), an approximation of gelu', {
    vjp(x, dy) {
      const c = Math.sqrt(2 / Math.PI)
      const square = x.square()
      const t = square
        .mul(0.044715 * c)
        .add(c)
        .mul(x)
        .tanh()
      const slope = square.mul(3 * 0.044715 * c).add(c)
      return dy.mul(t.add(1).add(t.square().neg().add(1).mul(x).mul(slope))).mul(0.5)
    },
    lower({ inputs: [x], outputs: [y], emit, ints }) {
      const kernel = (input: string, outputs?: string[]) =>
        emit('FastGelu', [input], {}, { domain: 'com.microsoft', ...(outputs && { outputs }) })
      // It takes no scalars.
      if (x!.shape.length > 0) kernel(x!.name, [y!.name])
      else emit('Reshape', [kernel(emit('Reshape', [x!.name, ints([1])])), ints([])], {}, { outputs: [y!.name] })
    },
  }),
  softplus: unary('softplus', 'Softplus', 'log(1 + e^x)', { vjp: (x, dy) => dy.mul(x.sigmoid()) }),
  softsign: unary('softsign', 'Softsign', 'x / (1 + |x|); derivative 0 at ±∞', {
    vjp: (x, dy) => dy.div(x.abs().add(1).square()),
  }),
  mish: unary('mish', 'Mish', 'x · tanh(softplus(x)) (Misra 2019)', {
    vjp(x, dy): Tensor {
      const t = x.builder.apply('softplus', [x])[0]!.tanh()
      return dy.mul(t.square().neg().add(1).mul(x).mul(x.sigmoid()).add(t))
    },
  }),
  hardswish: unary('hardswish', 'HardSwish', 'x · hardsigmoid(x) (Howard et al. 2019)', {
    vjp: (x, dy) => dy.mul(pick(x.lessEqual(-3), 0, pick(x.less(3), x.mul(1 / 3).add(0.5), 1))),
  }),
  hardsigmoid: unary('hardsigmoid', 'HardSigmoid', 'x / 6 + 1/2, limited to 0 … 1', {
    attributes: () => ({ alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
    vjp: (x, dy) => dy.mul(pick(x.abs().less(3), 1 / 6, 0)),
  }),

  silu: {
    summary: 'x · sigmoid(x)',
    infer([x]) {
      expectDtype('silu', x!, 'f32')
      return [
        { shape: x!.shape, dtype: 'f32' },
        { shape: x!.shape, dtype: 'f32' },
      ]
    },
    vjp({ outputs: [y, s], gradients: [dy] }) {
      // d(x·s)/dx = s + x·s·(1 - s) = s + y - y·s
      return [dy!.mul(s!.add(y!).sub(y!.mul(s!))), undefined]
    },
    decompose([x]) {
      const s = x!.sigmoid()
      return [x!.mul(s), s]
    },
    lower({ inputs: [x], outputs: [y, s], emit, isUsed }) {
      if (!isUsed(1)) {
        emit('QuickGelu', [x!.name], { alpha: { float: 1 } }, { outputs: [y!.name], domain: 'com.microsoft' })
        return
      }
      emit('Sigmoid', [x!.name], {}, { outputs: [s!.name] })
      emit('Mul', [x!.name, s!.name], {}, { outputs: [y!.name] })
    },
  },
})
