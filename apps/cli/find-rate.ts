import type { TrainingOptions, TrainingService } from 'enigma'
import { bar } from './output/format.js'
import type { Output } from './output/output.js'

/** Lines of the curve that are printed. */
const lines = 20

/** Tries learning rates on what a run would train, and prints the curve and a suggestion; nothing is kept. */
export async function findRate(training: TrainingService, asked: TrainingOptions, out: Output): Promise<void> {
  const { points, suggestion } = await training.findLearningRate(asked, {
    onRate: ({ learningRate, loss }) => out.progress(`rate ${learningRate.toExponential(1)}  loss ${loss.toFixed(3)}`),
    onEvent(event) {
      if (event.type === 'phase') out.note(event.message)
      else if (event.type === 'warning') out.warn(event.message)
    },
  })
  out.clearProgress()
  if (out.json) return out.data({ points, suggestion })
  const losses = points.map(({ smoothed }) => smoothed)
  const [low, high] = [Math.min(...losses), Math.max(...losses)]
  const every = Math.max(1, Math.ceil(points.length / lines))
  const shown = points.filter((_, index) => index % every === 0 || index === points.length - 1)
  await out.table(
    undefined,
    ['rate', 'loss', ''],
    shown.map(({ learningRate, smoothed }) => [
      learningRate.toExponential(1),
      smoothed.toFixed(3),
      bar((smoothed - low) / Math.max(high - low, Number.EPSILON), 40),
    ]),
  )
  out.text(suggestion === null ? 'The loss never fell.' : `Suggested: --lr ${Number(suggestion.toPrecision(2))}`)
}
