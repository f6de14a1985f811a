import { useState } from 'react'
import { askJson } from '../server/ask.js'
import { Plot } from './plot.js'
import type { Curve, Job, Report } from './training-job.js'

interface Props {
  readonly job: Job
  readonly theme: string
  readonly curve: Curve | undefined
  readonly report: Report | undefined
  readonly phase: string | undefined
  readonly onChange: () => void
}

/** One training: how far it is, its curve, and a button that ends it with a checkpoint. */
export function JobView({ job, theme, curve, report, phase, onChange }: Props) {
  const { id, out, state, steps, message } = job
  const [stopping, setStopping] = useState(false)
  const step = Math.max(job.step, report?.step ?? 0)
  const loss = report?.loss ?? job.loss
  const stop = async () => {
    setStopping(true)
    // How it ended is told by the job itself.
    await askJson(`/api/training/${id}/stop`, { json: {} }).catch(() => undefined)
    onChange()
  }
  const facts = [
    `step ${step}${steps === undefined ? '' : ` of ${steps}`}`,
    loss !== undefined && `loss ${loss.toFixed(3)}`,
    report && `${Math.round(report.tokensPerSecond)} tokens/s`,
  ]
  return (
    <article className="card job" aria-label={`Training into ${out}`}>
      <header>
        <div>
          <h2>{out}</h2>
          <small>{facts.filter(Boolean).join(' · ')}</small>
        </div>
        <span className={`state ${state}`}>{state}</span>
        {state === 'running' && (
          <button type="button" disabled={stopping} onClick={() => void stop()}>
            Stop
          </button>
        )}
      </header>
      {steps !== undefined && <progress aria-label="Steps" max={steps} value={step} />}
      {message && <p className="refusal">{message}</p>}
      {curve ? (
        <Plot curve={curve} theme={theme} />
      ) : (
        state === 'running' && <p className="soft">{phase ?? 'Its curve begins with the next report.'}</p>
      )}
      {report?.sample && <blockquote className="sample">{report.sample}</blockquote>}
    </article>
  )
}
