import { memo, useState } from 'react'
import { CopyButton } from '../parts/copy-button.js'
import { IconButton } from '../parts/icons.js'
import { Markdown } from '../parts/markdown.js'
import type { Message } from './conversation.js'

interface Props {
  readonly message: Message
  /** While an answer is written nothing can be changed. */
  readonly busy: boolean
  readonly onEdit: (id: string, text: string) => void
  /** Of the last answer only. */
  readonly onRegenerate?: () => void
}

const endings = {
  stopped: 'stopped',
  length: 'cut at the length limit',
  failed: 'broken off',
} as const

function facts({ tokens, tokensPerSecond, ended }: Message): string {
  return [
    tokens !== undefined && `${tokens} tokens`,
    tokensPerSecond !== undefined && `${tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0)} tokens/s`,
    ended && endings[ended],
  ]
    .filter(Boolean)
    .join(' · ')
}

export const MessageView = memo(({ message, busy, onEdit, onRegenerate }: Props) => {
  const [editing, setEditing] = useState(false)
  const { id, role, content } = message
  if (editing)
    return (
      <EditForm
        content={content}
        onCancel={() => setEditing(false)}
        onSave={(text) => {
          setEditing(false)
          onEdit(id, text)
        }}
      />
    )
  return (
    <article className={`message ${role}`} aria-label={role === 'user' ? 'You' : 'Answer'}>
      {role === 'user' ? <p className="bubble">{content}</p> : <Markdown text={content || '…'} />}
      <footer>
        {role === 'assistant' && <span className="facts">{facts(message)}</span>}
        {!busy && role === 'user' && <IconButton icon="edit" label="Edit this message" onClick={() => setEditing(true)} />}
        {!busy && onRegenerate && <IconButton icon="again" label="Answer again" onClick={onRegenerate} />}
        <CopyButton text={content} label="Copy this message" />
      </footer>
    </article>
  )
})

interface EditProps {
  readonly content: string
  readonly onSave: (text: string) => void
  readonly onCancel: () => void
}

function EditForm({ content, onSave, onCancel }: EditProps) {
  const [text, setText] = useState(content)
  return (
    <form
      className="edit"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim()) onSave(text.trim())
      }}
    >
      <textarea
        aria-label="Your message"
        rows={Math.min(10, text.split('\n').length + 1)}
        value={text}
        ref={(field) => field?.focus()}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={({ key }) => key === 'Escape' && onCancel()}
      />
      <div className="actions">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={!text.trim()}>
          Send
        </button>
      </div>
    </form>
  )
}
