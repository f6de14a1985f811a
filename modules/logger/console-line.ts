// A JSON record as one line for people: `12:30:01.250 WARN  inference: slow answer  ms=1200`.

const names: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO ', 40: 'WARN ', 50: 'ERROR' }
const colours: Readonly<Record<number, string>> = { 20: '\u001b[90m', 40: '\u001b[33m', 50: '\u001b[31m' }

/** `colour` puts escape codes around the level. */
export function consoleLine(json: string, colour: boolean): string {
  const { level, time, module, msg, ...fields } = JSON.parse(json) as {
    level: number
    time: string
    module?: string
    msg?: string
  }
  const name = names[level] ?? String(level)
  const shown = colour && colours[level] ? `${colours[level]}${name}\u001b[0m` : name
  const extra = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const text = [`${module === undefined ? '' : `${module}: `}${msg ?? ''}`, ...extra].join('  ')
  return `${time.slice(11, 23)} ${shown} ${text}\n`
}
