import type { TrainingCallback } from '@enigma/nn'
import type { JobEvents } from './job.js'

/** Tells the bus what `fit` does, in the seed documents' events. An epoch is over only when those who act on `EpochEnd` are done. */
export function busCallbacks(events: JobEvents): TrainingCallback {
  return {
    onEpochStart: ({ epoch }) => void events.emit('EpochStart', { epoch }),
    onStep: ({ step, loss, gradNorm, learningRate, metrics, examplesPerSecond }) =>
      void events.emit('Telemetry', { data: { step, loss, gradNorm, learningRate, examplesPerSecond, ...metrics } }),
    async onEpochEnd({ epoch, loss }) {
      await events.emitAsync('EpochEnd', { epoch, loss })
    },
  }
}
