import { useState } from 'react'
import type { ServerError } from '../server/ask.js'
import { useLiveEvents } from '../server/live.js'
import { useServer } from '../server/use-server.js'
import { type Curve, type Job, noCurve, type Report, withReport } from './training-job.js'

export interface TrainingWatch {
  readonly data: readonly Job[] | undefined
  readonly problem: ServerError | undefined
  readonly refresh: () => void
  /** By job, since this page was loaded. */
  readonly curves: Readonly<Record<string, Curve>>
  readonly latest: Readonly<Record<string, Report>>
  /** What a job does before its first step. */
  readonly phases: Readonly<Record<string, string>>
}

/** Lives above the pages, so that curves go on while another page is shown. */
export function useTraining(): TrainingWatch {
  const [curves, setCurves] = useState<Readonly<Record<string, Curve>>>({})
  const [latest, setLatest] = useState<Readonly<Record<string, Report>>>({})
  const { data, problem, refresh } = useServer<{ jobs: readonly Job[] }>(
    '/api/training',
    /^(training\.(?!report|event)|module\.(loaded|started|unloaded))/,
  )
  const [phases, setPhases] = useState<Readonly<Record<string, string>>>({})
  useLiveEvents(({ name, payload }) => {
    if (name === 'training.event') {
      const { id, event } = payload as {
        readonly id: string
        readonly event: { readonly type: string; readonly message?: string }
      }
      if (event.type === 'phase') setPhases((all) => ({ ...all, [id]: event.message ?? '' }))
    }
    if (name !== 'training.report') return
    const report = payload as Report
    setCurves((all) => ({ ...all, [report.id]: withReport(all[report.id] ?? noCurve, report) }))
    setLatest((all) => ({ ...all, [report.id]: { ...all[report.id], ...report } }))
  })
  return { data: data?.jobs, problem, refresh, curves, latest, phases }
}
