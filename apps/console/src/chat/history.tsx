import { IconButton } from '../parts/icons.js'
import type { Chat } from './use-chat.js'

/** The conversations that this browser keeps. */
export function History({ chat, onOpen }: { readonly chat: Chat; readonly onOpen: () => void }) {
  const { conversations, current } = chat
  return (
    <ul className="history" aria-label="Conversations">
      {conversations.map(({ id, title }) => (
        <li key={id}>
          <button
            type="button"
            className="title"
            {...(id === current.id && { 'aria-current': 'true' as const })}
            onClick={() => {
              chat.open(id)
              onOpen()
            }}
          >
            {title}
          </button>
          <IconButton icon="remove" label={`Delete ${title}`} onClick={() => chat.remove(id)} />
        </li>
      ))}
    </ul>
  )
}
