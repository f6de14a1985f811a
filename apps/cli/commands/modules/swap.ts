import { command } from '../../command.js'
import { jsonObject } from '../../parse.js'
import { changeSavedSet } from '../../session.js'

interface Flags {
  readonly config?: Record<string, unknown>
}

export const modulesSwap = command<Flags>({
  name: 'modules swap',
  summary: 'put one module in the place of another; the old one stays if the new one fails',
  arguments: [
    { name: '<from>', text: 'the module that is loaded' },
    { name: '<to>', text: 'the module that takes its place' },
  ],
  options: [{ flags: '--config <json>', text: 'the config of the new one', parse: jsonObject }],
  notes: ['What requires the old one is bound to the new one, which must provide the same.'],
  async run({ args, options: { config }, out }) {
    const { error, ...report } = await changeSavedSet(out, (manager) => manager.swap(args[0]!, args[1]!, config))
    if (error) out.warn(`'${report.from}' failed to stop: ${error.message}`)
    out.result({ ...report, ...(error && { error: error.message }) }, () => {
      const needed = report.loaded.filter((id) => id !== report.to)
      const along = needed.length > 0 ? `, with what it requires: ${needed.join(', ')}` : ''
      return `'${report.to}' took the place of '${report.from}'${along} (${report.ms.toFixed(0)} ms). Saved in ${report.saved}`
    })
    return 0
  },
})
