import { useCallback, useEffect, useRef, useState } from 'react'
import { askJson, ServerError } from './ask.js'
import { reconnected, useLiveEvents } from './live.js'

interface Loaded<T> {
  /** Undefined until the first answer; kept while it is asked anew. */
  readonly data: T | undefined
  readonly problem: ServerError | undefined
  readonly refresh: () => void
}

/** Events come in bunches: what they change is asked for once, so many milliseconds after the first. */
const settle = 120

const never = /^$/

/** What a route answers, asked again after each event whose name matches `changedBy`. */
export function useServer<T>(path: string, changedBy: RegExp = never): Loaded<T> {
  const [data, setData] = useState<T>()
  const [problem, setProblem] = useState<ServerError>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const load = useCallback(
    async (signal?: AbortSignal) => {
      try {
        setData(await askJson<T>(path, signal && { signal }))
        setProblem(undefined)
      } catch (error) {
        if (!signal?.aborted) setProblem(error instanceof ServerError ? error : new ServerError(String(error), 0))
      }
    },
    [path],
  )
  useEffect(() => {
    const controller = new AbortController()
    void load(controller.signal)
    return () => {
      controller.abort()
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [load])
  const refresh = useCallback(() => void load(), [load])
  useLiveEvents(({ name }) => {
    if (!changedBy.test(name) && name !== reconnected) return
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      refresh()
    }, settle)
  })
  return { data, problem, refresh }
}
