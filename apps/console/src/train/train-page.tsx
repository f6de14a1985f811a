import { type FormEvent, useState } from 'react'
import { Awaited, Page } from '../parts/page.js'
import { Problem } from '../parts/problem.js'
import { useKept } from '../parts/use-kept.js'
import { askJson, ServerError } from '../server/ask.js'
import { JobView } from './job-view.js'
import type { TrainingWatch } from './use-training.js'

const sizes = ['nano', 'micro', 'tiny', 'small', 'medium', 'large'] as const

interface Wish {
  readonly data: string
  readonly out: string
  readonly size: string
  readonly steps: number
  readonly resume: boolean
}

const firstWish: Wish = { data: 'examples/shakespeare.txt', out: 'runs/bard', size: 'nano', steps: 200, resume: false }

/** Starts trainings on the server, and shows how they go. */
export function TrainPage({ training, theme }: { readonly training: TrainingWatch; readonly theme: string }) {
  const [wish, setWish] = useKept('enigma.training', firstWish)
  const [problem, setProblem] = useState<ServerError>()
  const [asking, setAsking] = useState(false)

  async function start(event: FormEvent) {
    event.preventDefault()
    setAsking(true)
    setProblem(undefined)
    const { data, ...rest } = wish
    try {
      await askJson('/api/training', {
        json: {
          ...rest,
          data: data
            .split('\n')
            .map((line) => line.trim())
            .filter(Boolean),
        },
      })
    } catch (error) {
      setProblem(error instanceof ServerError ? error : new ServerError(String(error), 0))
    }
    setAsking(false)
    training.refresh()
  }

  return (
    <Page title="Train">
      <form className="card train-form" aria-label="A new training" onSubmit={start}>
        <label className="wide">
          <span>Text</span>
          <textarea required rows={2} value={wish.data} onChange={({ target }) => setWish({ ...wish, data: target.value })} />
          <small>files or folders on the server, one to a line</small>
        </label>
        <label>
          <span>Folder for the model</span>
          <input required value={wish.out} onChange={({ target }) => setWish({ ...wish, out: target.value })} />
        </label>
        <label>
          <span>Size</span>
          <select value={wish.size} onChange={({ target }) => setWish({ ...wish, size: target.value })}>
            {sizes.map((size) => (
              <option key={size}>{size}</option>
            ))}
          </select>
        </label>
        <label>
          <span>Steps</span>
          <input
            type="number"
            required
            min={1}
            value={wish.steps || ''}
            onChange={({ target }) => setWish({ ...wish, steps: Number(target.value) })}
          />
        </label>
        <label className="check">
          <input type="checkbox" checked={wish.resume} onChange={({ target }) => setWish({ ...wish, resume: target.checked })} />
          <span>Go on from the checkpoint in that folder</span>
        </label>
        <div className="actions">
          <button type="submit" className="primary" disabled={asking}>
            Start
          </button>
        </div>
        {problem && <Problem problem={problem} onDismiss={() => setProblem(undefined)} />}
      </form>
      <Awaited of={training}>
        {(jobs) =>
          jobs.length === 0 ? (
            <p className="soft">No training has been started since the server runs.</p>
          ) : (
            jobs
              .toReversed()
              .map((job) => (
                <JobView
                  key={job.id}
                  job={job}
                  theme={theme}
                  curve={training.curves[job.id]}
                  report={training.latest[job.id]}
                  phase={training.phases[job.id]}
                  onChange={training.refresh}
                />
              ))
          )
        }
      </Awaited>
    </Page>
  )
}
