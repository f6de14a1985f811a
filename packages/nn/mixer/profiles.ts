/** How a linguistic profile of SpiralTorch's Z-space sequencer weighs channels and smooths. */
export interface CoherenceProfile {
  /** Weight of a channel at place h, from 0 (first) to 1 (last), before it is trained. */
  weight(h: number): number
  /** k in the smoothing order 1 / (1 + k|c|), and the bounds of that order. */
  readonly rate: number
  readonly order: readonly [least: number, most: number]
}

export const coherenceProfiles = {
  membrane: { weight: (h) => 1.15 - 0.35 * h, rate: 1, order: [0.1, 0.85] },
  grain_boundary: { weight: (h) => 0.85 + 0.65 * h, rate: 0.8, order: [0.15, 0.9] },
  neuronal_pattern: { weight: (h) => 0.75 + 0.9 * Math.abs(h - 0.5), rate: 0.6, order: [0.2, 0.95] },
  droplet: { weight: (h) => 0.95 + 0.55 * (1 - Math.abs(2 * h - 1)), rate: 1.2, order: [0.05, 0.8] },
  even: { weight: () => 1, rate: 1, order: [0.05, 0.95] },
} as const satisfies Readonly<Record<string, CoherenceProfile>>

export type CoherenceProfileName = keyof typeof coherenceProfiles

/** 1 / (1 + k|c|) within the profile's bounds: the share of the newest token in a first-order smoothing. */
export function smoothingOrder({ rate, order: [least, most] }: CoherenceProfile, curvature: number): number {
  return Math.min(most, Math.max(least, 1 / (1 + rate * Math.abs(curvature))))
}
