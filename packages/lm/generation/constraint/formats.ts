/** `format`s that generation can follow, as regular expressions for a good part of what they allow. */
export const formatPatterns: ReadonlyMap<string, string> = new Map(
  Object.entries(formats()).map(([name, body]) => [name, `^${body}$`]),
)

function formats(): Record<string, string> {
  const day = '(0[1-9]|[12]\\d'
  // The 29th of February is left out: whether it exists depends on the year.
  const february = '02-(0[1-9]|1\\d|2[0-8])'
  const date = `\\d{4}-((0[13578]|1[02])-${day}|3[01])|(0[469]|11)-${day}|30)|${february})`
  const clock = '([01]\\d|2[0-3]):[0-5]\\d'
  const time = `${clock}:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]${clock})`
  const label = '[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?'
  const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
  const hex = '[0-9a-f]'
  return {
    date,
    time,
    'date-time': `${date}T${time}`,
    uuid: `${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}`,
    ipv4: `${octet}(\\.${octet}){3}`,
    hostname: `${label}(\\.${label}){0,3}`,
    uri: `https?://${label}(\\.${label}){0,2}\\.[a-z]{2,6}(/[a-z0-9._~-]{1,20}){0,6}`,
    email: `[a-z0-9]{1,30}([._+-][a-z0-9]{1,10}){0,2}@${label}(\\.${label}){1,2}`,
  }
}
