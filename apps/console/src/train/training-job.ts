/** As `/api/training` tells it. */
export interface Job {
  readonly id: string
  readonly out: string
  readonly state: 'running' | 'stopping' | 'done' | 'stopped' | 'failed'
  readonly step: number
  readonly steps?: number
  readonly loss?: number
  readonly started: string
  readonly message?: string
}

/** The payload of `training.report`. */
export interface Report {
  readonly id: string
  readonly step: number
  readonly loss: number
  readonly bitsPerByte?: number
  readonly tokensPerSecond: number
  readonly sample?: string
}

/** What a plot draws: steps, and a value or a gap at each. */
export interface Curve {
  readonly steps: readonly number[]
  readonly loss: readonly (number | null)[]
  readonly bitsPerByte: readonly (number | null)[]
}

export const noCurve: Curve = { steps: [], loss: [], bitsPerByte: [] }

/** More points than a plot has columns are thinned to every second one. */
const most = 4000

export function withReport(curve: Curve, { step, loss, bitsPerByte }: Report): Curve {
  // A resumed run begins before the last point.
  const from = curve.steps.findIndex((known) => known >= step)
  const keep = <T>(values: readonly T[]) => (from < 0 ? values : values.slice(0, from))
  const grown = {
    steps: [...keep(curve.steps), step],
    loss: [...keep(curve.loss), loss],
    bitsPerByte: [...keep(curve.bitsPerByte), bitsPerByte ?? null],
  }
  if (grown.steps.length <= most) return grown
  const thin = <T>(values: readonly T[]) => values.filter((_, at) => at % 2 === 0)
  return { steps: thin(grown.steps), loss: thin(grown.loss), bitsPerByte: thin(grown.bitsPerByte) }
}
