import { useEffect, useRef, useState } from 'react'
import { Page } from '../parts/page.js'
import { clock } from '../parts/units.js'
import { type LiveEvent, useConnected, useLiveEvents } from '../server/live.js'
import { matcher } from './pattern.js'

/** So many are kept; the oldest go. */
const kept = 500

interface Numbered extends LiveEvent {
  readonly id: number
}

/** What happens on the server while this page is shown. */
export function EventsPage() {
  const connected = useConnected()
  const [events, setEvents] = useState<readonly Numbered[]>([])
  const [pattern, setPattern] = useState('**')
  const [paused, setPaused] = useState(false)
  const fresh = useRef<Numbered[]>([])
  const count = useRef(0)
  const frame = useRef(0)
  useEffect(() => () => cancelAnimationFrame(frame.current), [])
  useLiveEvents((event) => {
    if (paused) return
    fresh.current.push({ ...event, id: count.current++ })
    // Hundreds come in a second while a model is trained: one drawing a frame.
    cancelAnimationFrame(frame.current)
    frame.current = requestAnimationFrame(() => {
      const added = fresh.current.splice(0).reverse()
      setEvents((all) => [...added, ...all].slice(0, kept))
    })
  })
  const matches = matcher(pattern)
  const shown = events.filter(({ name }) => matches(name))
  return (
    <Page
      title="Events"
      aside={
        <div className="tools">
          <input
            className="search"
            aria-label="Pattern of names"
            title="module.* one word, training.** any number of them"
            value={pattern}
            onChange={({ target }) => setPattern(target.value)}
          />
          <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
            {paused ? 'Go on' : 'Pause'}
          </button>
          <button type="button" onClick={() => setEvents([])}>
            Clear
          </button>
        </div>
      }
    >
      {shown.length === 0 && (
        <p className="soft">{connected ? 'Nothing has happened since this page was opened.' : 'Not connected to the server.'}</p>
      )}
      <ol className="events" aria-label="Events, the latest first">
        {shown.map(({ id, name, payload, time }) => (
          <li key={id}>
            <time>{clock(time)}</time>
            <strong>{name}</strong>
            <code>{payload === null ? '' : JSON.stringify(payload)}</code>
          </li>
        ))}
      </ol>
    </Page>
  )
}
