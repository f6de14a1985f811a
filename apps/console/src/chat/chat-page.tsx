import { useCallback, useLayoutEffect, useRef, useState } from 'react'
import { IconButton } from '../parts/icons.js'
import { Markdown } from '../parts/markdown.js'
import { Problem } from '../parts/problem.js'
import { Composer } from './composer.js'
import { MessageView } from './message-view.js'
import { SamplingPanel } from './sampling-panel.js'
import type { Chat, ChatSettings } from './use-chat.js'

interface Props {
  readonly chat: Chat
  readonly settings: ChatSettings
  readonly onSettings: (settings: ChatSettings) => void
}

/** The page reads along unless the reader has scrolled up by more than this, in pixels. */
const nearEnd = 120

export function ChatPage({ chat, settings, onSettings }: Props) {
  const { current, draft, problem } = chat
  const [tuning, setTuning] = useState(false)
  const busy = draft?.conversation === current.id
  const scroller = useRef<HTMLDivElement>(null)
  const reading = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is written moves the end
  useLayoutEffect(() => {
    const { current: box } = scroller
    if (box && reading.current) box.scrollTop = box.scrollHeight
  }, [draft?.text, current.messages.length, current.id])
  const latest = useRef(chat)
  latest.current = chat
  const edit = useCallback((id: string, text: string) => latest.current.edit(id, text), [])
  const regenerate = useCallback(() => latest.current.regenerate(), [])
  const last = current.messages.at(-1)

  return (
    <section className="chat" aria-label="Chat">
      <header className="page-head">
        <h1>{current.title}</h1>
        <IconButton icon="tune" label="Settings of answers" expanded={tuning} onClick={() => setTuning(!tuning)} />
      </header>
      {tuning && <SamplingPanel settings={settings} onChange={onSettings} />}
      <div
        className="messages"
        ref={scroller}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          reading.current = scrollHeight - scrollTop - clientHeight < nearEnd
        }}
      >
        {current.messages.length === 0 && <Welcome onSend={chat.send} />}
        <div role="log" aria-label="Conversation" aria-busy={busy}>
          {current.messages.map((message) => (
            <MessageView
              key={message.id}
              message={message}
              busy={busy}
              onEdit={edit}
              {...(message === last && message.role === 'assistant' && { onRegenerate: regenerate })}
            />
          ))}
          {busy && (
            <article className="message assistant writing" aria-label="Answer, being written">
              {draft.text ? <Markdown text={draft.text} /> : <p className="waiting">Thinking…</p>}
            </article>
          )}
        </div>
        {problem && !busy && (
          <Problem problem={problem} {...(last?.role === 'user' && { onRetry: chat.regenerate })} onDismiss={chat.dismiss} />
        )}
      </div>
      <Composer busy={busy} onSend={chat.send} onStop={chat.stop} />
    </section>
  )
}

const suggestions = [
  'Hello!',
  'Tell me a story about a fox and a lantern.',
  'Once upon a time, in a house by the sea,',
  'The little robot opened the door and',
]

/** What a first visitor sees: one click, and the model answers. */
function Welcome({ onSend }: { readonly onSend: (text: string) => void }) {
  return (
    <div className="welcome">
      <h2>What shall it be about?</h2>
      <p>The model answers on this machine. Nothing you write leaves it.</p>
      <ul>
        {suggestions.map((text) => (
          <li key={text}>
            <button type="button" onClick={() => onSend(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
