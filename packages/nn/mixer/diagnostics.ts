export type CoherenceLabel = 'background' | 'symmetric_pulse' | 'cascade_imbalance' | 'diffuse_drift'

/** What is measured of one sequence. */
export interface CoherenceMeasurement {
  /** Weight of each channel, not negative. */
  readonly weights: readonly number[]
  /** Euclidean norm of each channel's part of what the mixer gives. */
  readonly parts: readonly number[]
  /** Below 0. */
  readonly curvature: number
  /** Smoothing order. */
  readonly order: number
}

/** The quantities of SpiralTorch's Z-space sequencer for one sequence. */
export interface CoherenceDiagnostics {
  readonly weights: readonly number[]
  /** Weights that sum to 1. */
  readonly normalized: readonly number[]
  /** H = -Σ p ln p, in nats. */
  readonly entropy: number
  /** e^H: as many channels of equal weight have this entropy. */
  readonly effectiveChannels: number
  /** (Σp² - 1/N) / (1 - 1/N): 0 when all are equal, 1 when one has everything. */
  readonly concentration: number
  /** Mean weight. */
  readonly mean: number
  readonly dominantChannel: number
  /** Norm of the dominant channel's part over the norm of all. */
  readonly energyRatio: number
  /** (Σ of the first third of p - Σ of the last third) · √|c|. */
  readonly zBias: number
  readonly order: number
  readonly label: CoherenceLabel
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** The four labels in the order in which they are tried. */
const labels: readonly { readonly label: CoherenceLabel; holds(ratio: number, spread: number): boolean }[] = [
  { label: 'background', holds: (ratio) => ratio <= 1e-5 },
  { label: 'symmetric_pulse', holds: (_, spread) => spread <= 1e-4 },
  { label: 'cascade_imbalance', holds: (ratio) => ratio >= 0.7 },
  { label: 'diffuse_drift', holds: () => true },
]

export function coherenceDiagnostics({ weights, parts, curvature, order }: CoherenceMeasurement): CoherenceDiagnostics {
  const count = weights.length
  const total = sum(weights)
  // Where nothing has a weight, nothing stands out.
  const normalized = weights.map((weight) => (total > 0 ? weight / total : 1 / count))
  const entropy = sum(normalized.map((p) => (p > 0 ? p * Math.log(1 / p) : 0)))
  const dominantChannel = normalized.indexOf(Math.max(...normalized))
  const norm = Math.hypot(...parts)
  const energyRatio = norm > 0 ? parts[dominantChannel]! / norm : 0
  const third = Math.floor(count / 3)
  const tilt = sum(normalized.slice(0, third)) - sum(normalized.slice(count - third))
  const spread = Math.max(...normalized) - Math.min(...normalized)
  return {
    weights,
    normalized,
    entropy,
    effectiveChannels: Math.exp(entropy),
    concentration: count > 1 ? (sum(normalized.map((p) => p * p)) - 1 / count) / (1 - 1 / count) : 1,
    mean: total / count,
    dominantChannel,
    energyRatio,
    zBias: tilt * Math.sqrt(Math.abs(curvature)),
    order,
    label: labels.find(({ holds }) => holds(energyRatio, spread))!.label,
  }
}
