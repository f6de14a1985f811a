export { CoherenceMixer, type CoherenceMixerOptions } from '../mixer/coherence-mixer.js'
export * from './activations.js'
export { ReLU, Sigmoid, SiLU, Tanh } from './activations.js'
export { GroupedQueryAttention, type GroupedQueryAttentionOptions } from './attention.js'
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './batch-norm.js'
export { Conv1d, Conv2d, type ConvOptions, ConvTranspose1d, ConvTranspose2d, type ConvTransposeOptions } from './convolution.js'
export { Dropout } from './dropout.js'
export { Embedding } from './embedding.js'
export { Flatten, Unflatten } from './flatten.js'
export { Linear, type LinearOptions } from './linear.js'
export { type AttentionMasks, MultiheadAttention, type MultiheadAttentionOptions } from './multihead-attention.js'
export {
  type ChannelNormOptions,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  LayerNorm,
  type LayerNormOptions,
} from './normalization.js'
export { Parallel, type ParallelOptions } from './parallel.js'
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  MaxPool1d,
  MaxPool2d,
} from './pooling.js'
export { GRU, LSTM, type RecurrentOptions } from './recurrent.js'
export { PixelShuffle, PixelUnshuffle, Upsample } from './resampling.js'
export { Residual } from './residual.js'
export { RMSNorm } from './rms-norm.js'
export { RotaryEmbedding, rotaryFrequencies, rotaryTables } from './rotary-embedding.js'
export { Sequential } from './sequential.js'
export { SwiGLU } from './swiglu.js'
export {
  type DecoderMasks,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from './transformer.js'
