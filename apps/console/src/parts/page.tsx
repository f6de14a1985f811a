import type { ReactNode } from 'react'
import type { ServerError } from '../server/ask.js'
import { Problem } from './problem.js'

interface Props {
  readonly title: string
  readonly children: ReactNode
  /** Beside the title. */
  readonly aside?: ReactNode
}

/** A page under its title. */
export const Page = ({ title, aside, children }: Props) => (
  <section className="page" aria-label={title}>
    <header className="page-head">
      <h1>{title}</h1>
      {aside}
    </header>
    {children}
  </section>
)

interface AwaitedProps<T> {
  readonly of: { readonly data: T | undefined; readonly problem: ServerError | undefined; readonly refresh: () => void }
  readonly children: (data: T) => ReactNode
}

/** What is there once it is there; until then that it is awaited, or why it does not come. */
export function Awaited<T>({ of: { data, problem, refresh }, children }: AwaitedProps<T>) {
  return (
    <>
      {problem && <Problem problem={problem} onRetry={refresh} />}
      {data !== undefined ? children(data) : !problem && <p className="waiting">Loading…</p>}
    </>
  )
}
