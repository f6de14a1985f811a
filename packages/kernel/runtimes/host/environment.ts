/** All that a module elsewhere sees of our environment. The last two are for Windows, where nothing runs without. */
const names = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TZ', 'SYSTEMROOT', 'TEMP']

export function moduleEnvironment(): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
