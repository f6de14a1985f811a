import { ModuleError } from '../../errors.js'
import type { Manifest } from '../../manifest/manifest.js'
import type { Connect } from './connection.js'

/** An MCP server that runs already, at the URL that is the manifest's entry, over Streamable HTTP. */
export function httpConnection({ id, entry }: Pick<Manifest, 'id' | 'entry'>): Connect {
  return async () => {
    const url = URL.canParse(entry) ? new URL(entry) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      const message = `Module '${id}': the entry of a remote module is a URL, as http://localhost:3000/mcp; it is '${entry}'.`
      throw new ModuleError('BAD_MODULE', message, { module: id })
    }
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
    const transport = new StreamableHTTPClientTransport(url)
    return {
      transport,
      label: `connection to ${url.origin}`,
      ended: undefined,
      bye: () => transport.terminateSession(),
      kill: () => void transport.close(),
    }
  }
}
