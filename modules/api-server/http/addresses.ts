/** Whether only programs of this machine reach an address or name. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.endsWith('.localhost') || /^127(\.\d{1,3}){3}$/.test(host)
}

/** An address as a URL has it. */
export const urlOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

/** Of the header `Host`: without the port; of an IPv6 address without its brackets. */
export function hostName(host = ''): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return (bracketed ? bracketed[1]! : host.replace(/:\d*$/, '')).toLowerCase()
}
