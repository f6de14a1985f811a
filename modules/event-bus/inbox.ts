import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, Mailbox } from '@enigma/files'
import type { ModuleContext } from '@enigma/kernel'
import { journalFolder } from './journal.js'

// Events from other processes: who runs the module has a mailbox that is called by its process, `<pid>-<random>`.

/** Milliseconds between two looks. */
const interval = 500

/** Names that the module system itself speaks with: from outside they would be lies. */
const reserved = /^(bus|ledger|log|manager|module|service)(\.|$)/

const folder = () => join(journalFolder(), 'inbox')

/** Takes what comes in and emits it, until the scope of the caller ends. */
export async function openInbox(ctx: Pick<ModuleContext<never>, 'effect' | 'events' | 'log'>): Promise<void> {
  const mailbox = new Mailbox(join(folder(), `${process.pid}-${randomUUID().slice(0, 8)}`))
  try {
    await mailbox.open()
  } catch (error) {
    ctx.log.warn(`Events of other processes cannot come in: ${(error as Error).message}`)
    return
  }
  // One that cannot be removed harms nobody: its name tells that its process is gone.
  ctx.effect('inbox', () => () => mailbox.close().catch(() => undefined))
  const look = async () => {
    for (const message of await mailbox.take()) {
      const { event, payload, problem } = parseMessage(message)
      if (problem === undefined) ctx.events.emit(event, payload)
      else ctx.log.warn(`An event from another process was refused: ${problem}`)
    }
  }
  ctx.effect('look into the inbox', () => {
    // A program does not stay alive to hear from others.
    const timer = setInterval(() => void look(), interval).unref()
    return () => clearInterval(timer)
  })
}

interface Taker {
  readonly pid: number
  readonly mailbox: Mailbox
}

/** Who takes events: living processes. */
export async function takers(): Promise<Taker[]> {
  const names = await readdir(folder()).catch(() => [] as string[])
  return names
    .map((name) => ({ pid: Number(/^([1-9]\d*)-[0-9a-f]{8}$/.exec(name)?.[1]), mailbox: new Mailbox(join(folder(), name)) }))
    .filter(({ pid }) => isAlive(pid))
}

/** Leaves an event for each of them. Returns the processes that had room for it. */
export async function leaveEvent(event: string, payload: unknown): Promise<number[]> {
  const message = JSON.stringify({ event, payload })
  const reached = (await takers()).map(async ({ pid, mailbox }) => ((await mailbox.leave(message)) ? [pid] : []))
  return (await Promise.all(reached)).flat()
}

/** Why an event of this name may not come from outside. */
export function problemOfName(event: string): string | undefined {
  if (event === '' || event.includes('*')) return `'${event}' is a pattern, not the name of an event`
  if (event.length > 200) return 'the name is longer than 200 letters'
  return reserved.test(event) ? `'${event}' is an event of the module system itself` : undefined
}

function parseMessage(message: string): { event: string; payload: unknown; problem: string | undefined } {
  let given: unknown
  try {
    given = JSON.parse(message)
  } catch {
    // Said below.
  }
  const { event, payload } = (typeof given === 'object' && given !== null ? given : {}) as { event?: unknown; payload?: unknown }
  if (typeof event !== 'string') return { event: '', payload, problem: 'it has no name' }
  return { event, payload, problem: problemOfName(event) }
}
