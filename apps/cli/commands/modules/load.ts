import { command } from '../../command.js'
import { jsonObject } from '../../parse.js'
import { changeSavedSet } from '../../session.js'

interface Flags {
  readonly config?: Record<string, unknown>
  readonly strict?: boolean
  readonly accept?: readonly string[]
}

export const modulesLoad = command<Flags>({
  name: 'modules load',
  summary: 'add a module, and what it requires, to the saved set',
  arguments: [{ name: '<module>', text: 'its id' }],
  options: [
    { flags: '--config <json>', text: `its config, such as '{"size":"tiny"}'`, parse: jsonObject },
    { flags: '--strict', text: 'refuse when a requirement is not loaded, instead of loading it' },
    { flags: '--accept <module>', text: 'a saved module whose files were changed on purpose', many: true },
  ],
  notes: ['The modules are really loaded, to see that they work, and saved for the commands to come.'],
  async run({ args, options: { config, strict, accept }, out }) {
    const { id, loaded, closure, saved } = await changeSavedSet(
      out,
      (manager) => manager.load(args[0]!, config, { strict: strict === true }),
      accept,
    )
    out.result({ id, loaded, closure, saved }, () => {
      if (loaded.length === 0) return `'${id}' is loaded already.`
      const needed = closure.length > 0 ? `, with what it requires: ${closure.join(', ')}` : ''
      return `Loaded '${id}'${needed}. Saved in ${saved}`
    })
    return 0
  },
})
