import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { IconButton } from '../parts/icons.js'

interface Props {
  readonly busy: boolean
  readonly onSend: (text: string) => void
  readonly onStop: () => void
}

/** Enter sends, Shift-Enter begins a line, Escape stops the answer. */
export function Composer({ busy, onSend, onStop }: Props) {
  const [text, setText] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)
  // As high as what is written, up to the limit in the style sheet.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text decides the height
  useEffect(() => {
    const { current } = field
    if (!current) return
    current.style.height = 'auto'
    current.style.height = `${current.scrollHeight}px`
  }, [text])
  const send = () => {
    if (busy || !text.trim()) return
    onSend(text.trim())
    setText('')
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && busy) onStop()
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={field}
        rows={1}
        aria-label="Message"
        placeholder="Write a message"
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={onKeyDown}
      />
      {busy ? (
        <IconButton className="round" icon="stop" label="Stop" onClick={onStop} />
      ) : (
        <IconButton className="round" icon="send" label="Send" onClick={send} />
      )}
    </form>
  )
}
