import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js'

// The tools of an MCP server as methods: `api.generate({ prompt }, { signal })`.

/** The second argument of a tool's method. */
export interface ToolCallOptions {
  /** Cancels the call, there too. */
  readonly signal?: AbortSignal
  /** Milliseconds without an answer or progress; default 60 000. */
  readonly timeout?: number
  readonly onProgress?: (progress: { readonly progress: number; readonly total?: number; readonly message?: string }) => void
}

export type Tool = (args?: Readonly<Record<string, unknown>>, options?: ToolCallOptions) => Promise<unknown>

/** Pages of a list of tools that are read: a server that never ends its list is cut off. */
const maxPages = 100
/** A method of this name would make its interface a promise. */
const hidden = new Set(['then'])

export async function listToolNames(client: Client): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const { tools, nextCursor } = await client.listTools(cursor === undefined ? {} : { cursor })
    names.push(...tools.map(({ name }) => name).filter((name) => !hidden.has(name)))
    if (nextCursor === undefined) break
    cursor = nextCursor
  }
  return names
}

/** What a tool answers: its structured content, else its text, else its content as it is. @throws Error with its text when it says that it failed */
export async function callTool(client: Client, name: string, args: unknown, options: ToolCallOptions = {}): Promise<unknown> {
  const { signal, timeout, onProgress } = options
  const request: RequestOptions = { resetTimeoutOnProgress: true }
  if (signal) request.signal = signal
  if (timeout !== undefined) request.timeout = timeout
  if (onProgress) request.onprogress = (progress) => onProgress(progress as Parameters<typeof onProgress>[0])
  const result = await client.callTool({ name, arguments: (args ?? {}) as Record<string, unknown> }, undefined, request)
  const content = Array.isArray(result.content) ? (result.content as { type: string; text?: string }[]) : []
  const texts = content.flatMap(({ type, text }) => (type === 'text' && text !== undefined ? [text] : []))
  if (result.isError === true) throw new Error(texts.join('\n') || `The tool '${name}' failed.`)
  if (result.structuredContent !== undefined) return result.structuredContent
  return texts.length === content.length ? texts.join('\n') : content
}
