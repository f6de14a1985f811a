import { useCallback, useState } from 'react'

/** A value that this browser keeps. */
export function useKept<T>(key: string, initial: T): readonly [T, (value: T) => void] {
  const [value, setValue] = useState(() => read(key, initial))
  const set = useCallback(
    (next: T) => {
      setValue(next)
      localStorage.setItem(key, JSON.stringify(next))
    },
    [key],
  )
  return [value, set]
}

function read<T>(key: string, initial: T): T {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? 'null') as T | null) ?? initial
  } catch {
    return initial
  }
}
