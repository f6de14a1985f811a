import {
  celu,
  elu,
  type GeluOptions,
  gelu,
  glu,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu6,
  type SoftplusOptions,
  selu,
  softmin,
  softplus,
  softsign,
  type Tensor,
  tanhshrink,
} from '@enigma/tensor'
import { NnError } from '../errors.js'
import { Layer, type UnaryLayer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

/** A layer that is a function of its input. */
function layerOf(f: (x: Tensor) => Tensor): new () => UnaryLayer {
  return class extends Layer {
    override forward(x: Tensor): Tensor {
      return f(x)
    }
  }
}

/** x itself: a placeholder. */
export class Identity extends layerOf((x) => x) {}
/** max(x, 0) */
export class ReLU extends layerOf((x) => x.relu()) {}
/** x limited to 0 … 6 */
export class ReLU6 extends layerOf(relu6) {}
/** elu with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017) */
export class SELU extends layerOf(selu) {}
/** x · sigmoid(x) */
export class SiLU extends layerOf((x) => x.silu()) {}
/** x · tanh(softplus(x)) */
export class Mish extends layerOf(mish) {}
/** tanh(x) */
export class Tanh extends layerOf((x) => x.tanh()) {}
/** x - tanh(x) */
export class Tanhshrink extends layerOf(tanhshrink) {}
/** 1 / (1 + e^-x) */
export class Sigmoid extends layerOf((x) => x.sigmoid()) {}
/** log(sigmoid(x)) */
export class LogSigmoid extends layerOf(logSigmoid) {}
/** x / (1 + |x|) */
export class Softsign extends layerOf(softsign) {}
/** x · hardsigmoid(x) */
export class Hardswish extends layerOf(hardswish) {}
/** x / 6 + 1/2, limited to 0 … 1 */
export class Hardsigmoid extends layerOf(hardsigmoid) {}

/** x where x > 0, else negativeSlope · x */
export class LeakyReLU extends Layer {
  constructor(readonly negativeSlope = 0.01) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return leakyRelu(x, this.negativeSlope)
  }
}

/** x where x > 0, else alpha · (e^x - 1) */
export class ELU extends Layer {
  constructor(readonly alpha = 1) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return elu(x, this.alpha)
  }
}

/** x where x > 0, else alpha · (e^(x / alpha) - 1) */
export class CELU extends Layer {
  constructor(readonly alpha = 1) {
    super()
    if (alpha === 0) throw new NnError('INVALID_ARGUMENT', 'CELU: alpha divides x, so it cannot be 0.')
  }
  override forward(x: Tensor): Tensor {
    return celu(x, this.alpha)
  }
}

/** x · Φ(x), or its approximation with tanh */
export class GELU extends Layer {
  constructor(readonly options: GeluOptions = {}) {
    super()
    optionsOf('GELU', options, "approximate: 'tanh'")
  }
  override forward(x: Tensor): Tensor {
    return gelu(x, this.options)
  }
}

/** log(1 + e^(beta · x)) / beta, and x where beta · x is above the threshold */
export class Softplus extends Layer {
  constructor(readonly options: SoftplusOptions = {}) {
    super()
    optionsOf('Softplus', options, 'beta: 2')
  }
  override forward(x: Tensor): Tensor {
    return softplus(x, this.options)
  }
}

/** x limited to minVal … maxVal */
export class Hardtanh extends Layer {
  constructor(
    readonly minVal = -1,
    readonly maxVal = 1,
  ) {
    super()
    if (!(minVal < maxVal)) throw new NnError('INVALID_ARGUMENT', `Hardtanh: ${minVal} must be less than ${maxVal}.`)
  }
  override forward(x: Tensor): Tensor {
    return hardtanh(x, this.minVal, this.maxVal)
  }
}

/** x where x > 0, else weight · x; weight [numParameters] is one slope, or one for each channel, which is dimension 1 of x. */
export class PReLU extends Layer {
  readonly weight: Parameter

  constructor(numParameters = 1, init = 0.25) {
    super()
    this.weight = new Parameter([numParameters], new Float32Array(numParameters).fill(init))
  }
  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight)
  }
}

/** A layer that works along one dimension; default the last. */
function layerAlong(f: (x: Tensor, axis: number) => Tensor): new (axis?: number) => UnaryLayer & { readonly axis: number } {
  return class extends Layer {
    constructor(readonly axis = -1) {
      super()
    }
    override forward(x: Tensor): Tensor {
      return f(x, this.axis)
    }
  }
}

/** The first half of x along an axis, times the sigmoid of the second (Dauphin et al. 2016) */
export class GLU extends layerAlong(glu) {}
/** e^x / Σ e^x along an axis */
export class Softmax extends layerAlong((x, axis) => x.softmax(axis)) {}
/** softmax(-x) along an axis */
export class Softmin extends layerAlong(softmin) {}
/** log(softmax(x)) along an axis */
export class LogSoftmax extends layerAlong((x, axis) => x.logSoftmax(axis)) {}
