import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { ask } from './ask.js'
import { chunksOf } from './chunks.js'
import { serverEvents } from './sse.js'

/** What happened on the server. */
export interface LiveEvent {
  readonly name: string
  readonly payload: unknown
  /** Milliseconds since the epoch. */
  readonly time: number
}

type Listener = (event: LiveEvent) => void

interface Live {
  readonly connected: boolean
  /** Returns what ends it. */
  subscribe(listener: Listener): () => void
}

const LiveContext = createContext<Live>({ connected: false, subscribe: () => () => undefined })

/** Milliseconds until the stream is asked for again. */
const retryAfter = 2000

/** Told to listeners when the stream has begun anew: what happened meanwhile is not known. */
export const reconnected = 'console.reconnected'

/** One stream of events for all pages, begun again as often as it ends. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const [connected, setConnected] = useState(false)
  const listeners = useRef(new Set<Listener>())
  useEffect(() => {
    const controller = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const tell = (event: LiveEvent) => {
      for (const listener of listeners.current) listener(event)
    }
    async function listen(first: boolean) {
      try {
        const { body } = await ask('/api/events?pattern=**', { signal: controller.signal })
        setConnected(true)
        if (!first) tell({ name: reconnected, payload: null, time: Date.now() })
        for await (const { kind, data } of serverEvents(chunksOf(body!))) {
          if (kind === 'message') tell(JSON.parse(data) as LiveEvent)
        }
      } catch {
        // It is begun again below, whatever ended it.
      }
      if (controller.signal.aborted) return
      setConnected(false)
      timer = setTimeout(() => void listen(false), retryAfter)
    }
    void listen(true)
    return () => {
      controller.abort()
      clearTimeout(timer)
    }
  }, [])
  const live = useMemo<Live>(
    () => ({
      connected,
      subscribe(listener) {
        listeners.current.add(listener)
        return () => listeners.current.delete(listener)
      },
    }),
    [connected],
  )
  return <LiveContext value={live}>{children}</LiveContext>
}

/** Calls `listener` for every event while the component is shown. */
export function useLiveEvents(listener: Listener): void {
  const { subscribe } = useContext(LiveContext)
  const latest = useRef(listener)
  latest.current = listener
  useEffect(() => subscribe((event) => latest.current(event)), [subscribe])
}

export const useConnected = (): boolean => useContext(LiveContext).connected
