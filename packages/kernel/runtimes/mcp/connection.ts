import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { Output } from '../host/link.js'

/** The way to an MCP server. */
export interface Connection {
  readonly transport: Transport
  /** What it is, for the list of effects. */
  readonly label: string
  /** Resolved once a server of our own has ended, with how; a remote one has no end that we see. */
  readonly ended: Promise<string> | undefined
  /** Says goodbye; the transport is closed next. */
  bye(): Promise<void>
  /** Ends it by force. */
  kill(): void
}

export type Connect = (output: Output) => Promise<Connection>
