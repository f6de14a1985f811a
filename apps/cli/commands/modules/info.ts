import { command } from '../../command.js'
import { bytes } from '../../output/format.js'
import { readSavedStates } from '../../saved-states.js'
import { openManager } from '../../session.js'

export const modulesInfo = command({
  name: 'modules info',
  summary: 'one module: what it is, needs, provides and can be told',
  arguments: [{ name: '<module>', text: 'its id' }],
  async run({ args, out }) {
    await using manager = await openManager(out)
    const { id, state, folder, info } = manager.getModule(args[0]!)
    const value = { ...info, state: readSavedStates().get(id) ?? state, folder }
    const list = (items: readonly string[]) => items.join(', ') || '-'
    out.result(value, () => {
      const properties = Object.entries((info.config?.properties ?? {}) as Record<string, Record<string, unknown>>)
      return [
        `${out.color.bold(info.id)} ${info.version}: ${info.description}`,
        `  state       ${value.state}`,
        `  kind        ${info.kind}, ${info.category}, ${info.runtime}`,
        `  requires    ${list(info.requires.map(({ text }) => text))}`,
        `  optional    ${list(info.optional.map(({ text }) => text))}`,
        `  conflicts   ${list(info.conflicts)}`,
        `  provides    ${list(info.provides.map(({ capability, version }) => `${capability}@${version}`))}`,
        `  resources   ${bytes(info.resources.ram)} memory, ${bytes(info.resources.vram)} graphics memory`,
        `  commands    ${list(info.contributes.commands.map(({ name }) => `${info.id}:${name}`))}`,
        `  folder      ${folder ?? '-'}`,
        ...properties.map(([name, schema]) => `  config.${name}  ${describe(schema)}`),
      ].join('\n')
    })
    return 0
  },
})

function describe({ type, enum: choices, description, default: preset }: Record<string, unknown>): string {
  const kind = Array.isArray(choices) ? choices.join('|') : String(type ?? 'any')
  return `${kind}${preset === undefined ? '' : `, default ${JSON.stringify(preset)}`}${description === undefined ? '' : `: ${description}`}`
}
