import type { ServerError } from '../server/ask.js'

interface Props {
  readonly problem: ServerError
  readonly onRetry?: () => void
  readonly onDismiss?: () => void
}

/** What went wrong, and what can be done. */
export function Problem({ problem, onRetry, onDismiss }: Props) {
  return (
    <div className="problem" role="alert">
      <p>{problem.message}</p>
      <div className="actions">
        {problem.code === 'stale_page' && (
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        )}
        {onRetry && (
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        )}
        {onDismiss && (
          <button type="button" onClick={onDismiss}>
            Dismiss
          </button>
        )}
      </div>
    </div>
  )
}
