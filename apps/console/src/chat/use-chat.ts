import { useCallback, useEffect, useRef, useState } from 'react'
import { askJson, ServerError } from '../server/ask.js'
import { type Sampling, streamChat } from '../server/stream-chat.js'
import {
  before,
  type Conversation,
  type Message,
  newConversation,
  newId,
  turnsOf,
  unanswered,
  withMessage,
} from './conversation.js'
import { forget, keep, keptConversations } from './kept.js'

export interface ChatSettings {
  readonly system: string
  readonly sampling: Sampling
}

/** The answer that is being written. */
export interface Draft {
  readonly conversation: string
  readonly text: string
}

export interface Chat {
  readonly conversations: readonly Conversation[]
  readonly current: Conversation
  readonly draft: Draft | undefined
  readonly problem: ServerError | undefined
  open(id: string): void
  create(): void
  remove(id: string): void
  send(text: string): void
  /** Sends another text in the place of a message; what came of it is gone. */
  edit(id: string, text: string): void
  regenerate(): void
  stop(): void
  dismiss(): void
}

/** Lives above the pages, so that an answer goes on while another page is shown. */
export function useChat(settings: ChatSettings): Chat {
  const [conversations, setConversations] = useState(keptConversations)
  const [current, setCurrent] = useState<Conversation>(() => conversations[0] ?? newConversation())
  const [draft, setDraft] = useState<Draft>()
  const [problem, setProblem] = useState<ServerError>()
  const controller = useRef<AbortController>(undefined)

  const store = useCallback((conversation: Conversation) => {
    try {
      keep(conversation)
    } catch {
      setProblem(new ServerError('This browser keeps no more conversations. Delete some.', 0))
    }
    setConversations((all) => [conversation, ...all.filter(({ id }) => id !== conversation.id)])
    setCurrent((shown) => (shown.id === conversation.id ? conversation : shown))
  }, [])

  const answer = useCallback(
    async (conversation: Conversation) => {
      controller.current?.abort()
      const own = new AbortController()
      controller.current = own
      setProblem(undefined)
      store(conversation)
      setCurrent(conversation)
      setDraft({ conversation: conversation.id, text: '' })
      let text = ''
      let end: Partial<Message> = {}
      let shown = 0
      const save = () => {
        if (text || end.ended === 'stopped')
          store(withMessage(conversation, { id: newId(), role: 'assistant', content: text, ...end }))
      }
      // A page that is closed or loaded anew keeps what has been written.
      const leaving = () => {
        end = { ended: 'stopped' }
        save()
        controller.current = undefined
        own.abort()
        setDraft(undefined)
      }
      addEventListener('pagehide', leaving)
      try {
        const { data } = await askJson<{ data: readonly { id: string }[] }>('/v1/models', { signal: own.signal })
        if (!data[0]) throw new ServerError('No model is loaded.', 503, 'no_provider')
        for await (const piece of streamChat(data[0].id, turnsOf(conversation, settings.system), settings.sampling, own.signal)) {
          text += piece.text
          end = { ...end, ...endOf(piece) }
          // One drawing for all the tokens of a frame.
          cancelAnimationFrame(shown)
          shown = requestAnimationFrame(() => setDraft((now) => now && { ...now, text }))
        }
      } catch (error) {
        if (own.signal.aborted) end = { ...end, ended: 'stopped' }
        else {
          end = { ...end, ended: 'failed' }
          setProblem(error instanceof ServerError ? error : new ServerError(String(error), 0))
        }
      }
      cancelAnimationFrame(shown)
      removeEventListener('pagehide', leaving)
      if (controller.current === own) {
        controller.current = undefined
        setDraft(undefined)
        save()
      }
    },
    [settings, store],
  )

  useEffect(() => () => controller.current?.abort(), [])
  const stop = useCallback(() => controller.current?.abort(), [])
  const user = (content: string): Message => ({ id: newId(), role: 'user', content })

  return {
    conversations,
    current,
    draft,
    problem,
    open: (id) => setCurrent((now) => conversations.find((conversation) => conversation.id === id) ?? now),
    create: () => setCurrent((now) => (now.messages.length === 0 ? now : newConversation())),
    remove(id) {
      if (draft?.conversation === id) {
        controller.current?.abort()
        controller.current = undefined
        setDraft(undefined)
      }
      forget(id)
      const rest = conversations.filter((conversation) => conversation.id !== id)
      setConversations(rest)
      if (current.id === id) setCurrent(rest[0] ?? newConversation())
    },
    send: (text) => void answer(withMessage(current, user(text))),
    edit: (id, text) => void answer(withMessage(before(current, id), user(text))),
    regenerate: () => void answer(unanswered(current)),
    stop,
    dismiss: () => setProblem(undefined),
  }
}

function endOf({
  tokens,
  tokensPerSecond,
  finishReason,
}: {
  tokens?: number
  tokensPerSecond?: number
  finishReason?: string
}): Partial<Message> {
  return {
    ...(tokens !== undefined && { tokens }),
    ...(tokensPerSecond !== undefined && { tokensPerSecond }),
    ...(finishReason === 'length' && { ended: 'length' as const }),
  }
}
