import type { ModuleView, PermissionLine } from 'enigma'
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
    const { id, state, folder, info, quarantined } = manager.getModule(args[0]!)
    const { detectPlatform, permissionReport } = await import('enigma')
    const held = permissionReport(info, detectPlatform())
    const value = {
      ...info,
      state: readSavedStates().get(id) ?? state,
      folder,
      ...(quarantined && { quarantined }),
      permissionReport: held,
    }
    const list = (items: readonly string[]) => items.join(', ') || '-'
    out.result(value, () => {
      const properties = Object.entries((info.config?.properties ?? {}) as Record<string, Record<string, unknown>>)
      return [
        `${out.color.bold(info.id)} ${info.version}: ${info.description}`,
        `  state       ${value.state}`,
        ...(quarantined ? [`  quarantine  since ${quarantined.since}: ${quarantined.reason}`] : []),
        `  kind        ${info.kind}, ${info.category}, ${info.runtime}`,
        `  requires    ${list(info.requires.map(({ text }) => text))}`,
        `  optional    ${list(info.optional.map(({ text }) => text))}`,
        `  conflicts   ${list(info.conflicts)}`,
        `  provides    ${list(info.provides.map(({ capability, version }) => `${capability}@${version}`))}`,
        `  resources   ${resources(info.resources)}`,
        ...permissions(info, held),
        `  lifecycle   ${lifecycle(info.lifecycle)}`,
        `  activation  ${list(info.activation)}`,
        `  commands    ${list(info.contributes.commands.map(({ name }) => `${info.id}:${name}`))}`,
        `  folder      ${folder ?? '-'}`,
        ...properties.map(([name, schema]) => `  config.${name}  ${describe(schema)}`),
      ].join('\n')
    })
    return 0
  },
})

type Manifest = ModuleView['info']

function resources({ ram, vram, gpu, threads }: Manifest['resources']): string {
  const gpus = { required: 'a GPU', preferred: 'a GPU if there is one', none: 'no GPU' } as const
  return `${bytes(ram)} memory, ${bytes(vram)} graphics memory, ${gpus[gpu]}, ${threads} thread${threads === 1 ? '' : 's'}`
}

/** What it may do, and who holds it to that: the same words as before it was added. A built-in one asks for nothing. */
function permissions({ permissions: { fs, net, child }, runtime }: Manifest, held: readonly PermissionLine[]): string[] {
  const asksNothing = fs.length === 0 && net.length === 0 && !child
  if (runtime === 'inproc' && asksNothing) return ['  permissions runs inside Enigma and can do whatever Enigma can']
  return ['  permissions', ...held.map(({ text }) => `    ${text}`)]
}

function lifecycle({ loadTimeout, startTimeout, stopTimeout, restart }: Manifest['lifecycle']): string {
  const seconds = (ms: number) => `${ms / 1000} s`
  return `load ${seconds(loadTimeout)}, start ${seconds(startTimeout)}, stop ${seconds(stopTimeout)}; restart ${restart}`
}

function describe(schema: Record<string, unknown>): string {
  const { type, enum: choices, description, default: preset } = schema
  const secret = schema.secret === true || schema.writeOnly === true || schema.format === 'password' ? ', secret' : ''
  const kind = `${Array.isArray(choices) ? choices.join('|') : String(type ?? 'any')}${secret}`
  return `${kind}${preset === undefined ? '' : `, default ${JSON.stringify(preset)}`}${description === undefined ? '' : `: ${description}`}`
}
