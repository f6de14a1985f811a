import { command } from '../../command.js'
import { readSavedStates } from '../../saved-states.js'
import { openManager } from '../../session.js'

export const modulesLs = command({
  name: 'modules ls',
  summary: 'all modules: state, category, what they provide',
  notes: ["State is what 'modules load' and 'unload' left saved. None of the modules' code runs."],
  async run({ out }) {
    await using manager = await openManager(out)
    const saved = readSavedStates()
    const value = manager.listModules().map((info) => ({
      id: info.id,
      state: info.broken ? info.state : (saved.get(info.id) ?? info.state),
      category: info.category,
      version: info.version,
      description: info.description,
      requires: info.requires,
      provides: info.provides,
      ...(info.error === undefined ? {} : { error: info.error }),
    }))
    const paint = { active: out.color.green, loaded: out.color.cyan, error: out.color.red }
    await out.table(
      value,
      ['module', 'state', 'category', 'provides', 'description'],
      value.map(({ id, state, category, provides, description }) => {
        const color = state in paint ? paint[state as keyof typeof paint] : out.color.dim
        return [id, color(state), category, provides.filter((name) => name !== id).join(', '), description]
      }),
    )
    for (const { id, error } of value) if (error !== undefined) out.warn(`${id}: ${error}`)
    return 0
  },
})
