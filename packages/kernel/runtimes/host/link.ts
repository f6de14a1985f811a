import type { Channel } from '../wire/channel.js'

/** The running other side of a module: a process, a thread. */
export interface Link {
  readonly channel: Channel
  /** What it is, for the list of effects: `process 4711`. */
  readonly label: string
  /** Resolved once it has ended, with how, for people: `its process ended with exit code 1`. Never rejected. */
  readonly ended: Promise<string>
  /** Ends it by force, and what it has started. May be called again. */
  kill(): void
}

/** Lines that the other side prints. */
export type Output = (stream: 'stdout' | 'stderr', line: string) => void

/** Starts the other side. @throws ModuleError when it cannot be */
export type StartLink = (output: Output) => Promise<Link>
