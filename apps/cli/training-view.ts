import type { TrainEvent, TrainingJobView, TrainingResult } from 'enigma'
import { bar, count, duration } from './output/format.js'
import { type Output, visible } from './output/output.js'

/** Shows what a training tells until it ends: a progress line at a terminal, a line a report otherwise, JSON when asked. */
export async function showTraining(job: TrainingJobView, out: Output): Promise<TrainingResult> {
  let steps = 0
  for await (const event of job.events()) {
    if (event.type === 'start') steps = event.steps
    if (event.type === 'report') report(event, steps, out)
    else if (event.type === 'warning') out.warn(event.message)
    else if (event.type === 'checkpoint') out.hint(out.color.dim(`step ${event.step}: checkpoint saved`))
    else if (event.type !== 'epoch-start') out.note(remark(event))
  }
  out.clearProgress()
  return job.done
}

function report(event: TrainEvent & { type: 'report' }, steps: number, out: Output): void {
  const { step, loss, bitsPerByte, learningRate, tokensPerSecond, etaSeconds } = event
  const facts = `loss ${loss.toFixed(3)}  ${bitsPerByte.toFixed(3)} bits/byte  ${count(Math.round(tokensPerSecond))} tokens/s`
  if (out.json) out.data({ step, loss, bitsPerByte, learningRate, tokensPerSecond })
  else if (out.showsProgress) out.progress(`${bar(step / steps)} ${step}/${steps}  ${facts}  ${duration(etaSeconds)} left`)
  else out.text(`step ${step}/${steps}  ${facts}`)
}

function remark(event: Exclude<TrainEvent, { type: 'report' | 'warning' | 'checkpoint' | 'epoch-start' }>): string {
  switch (event.type) {
    case 'phase':
      return event.message
    case 'start': {
      const from = event.resumed ? `, from step ${event.step} on` : ''
      return `Training ${count(event.parameters)} parameters on ${count(event.tokens)} tokens, ${count(event.steps)} steps${from}`
    }
    case 'validation':
      return `step ${event.step}: validation ${event.bitsPerByte.toFixed(4)} bits per byte, loss ${event.loss.toFixed(4)}`
    case 'epoch-end':
      return `step ${event.step}: epoch ${event.epoch + 1} ends, mean loss ${event.loss.toFixed(4)}`
    case 'best':
      return `step ${event.step}: the run ends with the weights of step ${event.best}, validation loss ${event.loss.toFixed(4)}`
    case 'sample':
      return `step ${event.step} writes: ${visible(event.text).replace(/\s+/g, ' ').trim()}`
  }
}
