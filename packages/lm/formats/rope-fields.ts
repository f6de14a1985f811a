import { type RopeScaling, yarnAttentionFactor } from '../model/rope.js'
import type { ConfigFields } from './config-fields.js'

/** Rotary positions as a `config.json` tells them: transformers 5 in `rope_parameters`, before in `rope_theta` and `rope_scaling`. */
export function readRope(
  fields: ConfigFields,
  defaultTheta: number,
  context: number,
): { readonly ropeTheta: number; readonly ropeScaling: RopeScaling | null } {
  const place = fields.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling'
  const rope = fields.object(place)
  const holder = rope?.has('rope_theta') ? rope : fields
  const ropeTheta = holder.number('rope_theta', defaultTheta)
  if (!rope) return { ropeTheta, ropeScaling: null }
  const type = rope.value.rope_type ?? rope.value.type ?? 'default'
  const read = typeof type === 'string' ? READERS.get(type) : undefined
  if (!read) throw fields.unsupported(place, `rotary positions can be ${[...READERS.keys()].join(', ')}`)
  if (rope.number('partial_rotary_factor', 1) !== 1) throw rope.unsupported('partial_rotary_factor', 'whole heads are rotated')
  return { ropeTheta, ropeScaling: read(rope, context) }
}

type Read = (rope: ConfigFields, context: number) => RopeScaling | null

const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['default', () => null],
  ['linear', (rope) => ({ type: 'linear', factor: rope.number('factor') })],
  [
    'llama3',
    (rope, context) => ({
      type: 'llama3',
      factor: rope.number('factor'),
      lowFreqFactor: rope.number('low_freq_factor'),
      highFreqFactor: rope.number('high_freq_factor'),
      originalContext: rope.number('original_max_position_embeddings', context),
    }),
  ],
  ['yarn', readYarn],
])

function readYarn(rope: ConfigFields, context: number): RopeScaling {
  const originalContext = rope.number('original_max_position_embeddings', context)
  const factor = rope.number('factor', context / originalContext)
  const scaled = rope.has('mscale') && rope.has('mscale_all_dim')
  const usual = scaled
    ? yarnAttentionFactor(factor, rope.number('mscale')) / yarnAttentionFactor(factor, rope.number('mscale_all_dim'))
    : yarnAttentionFactor(factor)
  return {
    type: 'yarn',
    factor,
    originalContext,
    betaFast: rope.number('beta_fast', 32),
    betaSlow: rope.number('beta_slow', 1),
    attentionFactor: rope.number('attention_factor', usual),
    truncate: rope.flag('truncate', true),
  }
}

/** `rope_scaling` as transformers reads it; null for none. */
export function ropeScalingFields(scaling: RopeScaling | null): Record<string, unknown> | null {
  switch (scaling?.type) {
    case undefined:
      return null
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor }
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalContext,
      }
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalContext,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
        truncate: scaling.truncate,
      }
  }
}
