import { useEffect, useState } from 'react'
import type { IconName } from './parts/icons.js'

export interface PageInfo {
  readonly id: string
  readonly title: string
  readonly icon: IconName
}

export const pages = [
  { id: 'chat', title: 'Chat', icon: 'chat' },
  { id: 'modules', title: 'Modules', icon: 'modules' },
  { id: 'train', title: 'Train', icon: 'train' },
  { id: 'system', title: 'System', icon: 'system' },
  { id: 'events', title: 'Events', icon: 'events' },
] as const satisfies readonly PageInfo[]

export type PageId = (typeof pages)[number]['id']

const pageOf = (hash: string): PageId => pages.find(({ id }) => `#/${id}` === hash)?.id ?? 'chat'

/** The page in the address: reloading stays on it, and the browser's buttons go through the pages. */
export function usePage(): PageId {
  const [page, setPage] = useState(() => pageOf(location.hash))
  useEffect(() => {
    const follow = () => setPage(pageOf(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return page
}
