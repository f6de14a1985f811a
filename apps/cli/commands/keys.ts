import { command } from '../command.js'
import { CliError } from '../errors.js'

interface CreateFlags {
  readonly admin?: boolean
}

export const keysCreate = command<CreateFlags>({
  name: 'keys create',
  summary: 'make a key for the server, shown once',
  arguments: [{ name: '<name>', text: 'who or what it is for' }],
  options: [{ flags: '--admin', text: 'it also opens /api: modules, training, events' }],
  notes: ['Only a hash of it is kept. A running server takes it at once.'],
  async run({ args, options: { admin }, out }) {
    const { KeyStore } = await import('enigma')
    const made = await new KeyStore().create(args[0]!, admin ? ['inference', 'admin'] : ['inference'])
    out.result(made, () => made.key)
    out.hint('Keep it: it cannot be shown again. Clients send it as Authorization: Bearer, or as OPENAI_API_KEY.')
    return 0
  },
})

export const keysLs = command({
  name: 'keys ls',
  summary: 'list the keys of the server',
  async run({ out }) {
    const { KeyStore } = await import('enigma')
    const keys = await new KeyStore().list()
    const rows = keys.map(({ id, name, scopes, created }) => [id, name, scopes.join(', '), created])
    await out.table({ keys }, ['id', 'name', 'may', 'made'], rows)
    return 0
  },
})

export const keysRevoke = command({
  name: 'keys revoke',
  summary: 'let a key count no more, at once',
  arguments: [{ name: '<id>', text: 'as `keys ls` shows it' }],
  async run({ args, out }) {
    const { KeyStore } = await import('enigma')
    const id = args[0]!
    if (!(await new KeyStore().revoke(id))) throw new CliError('CHECK_FAILED', `There is no key '${id}'. See: enigma keys ls`)
    out.result({ id, result: 'revoked' }, () => `Revoked ${id}.`)
    return 0
  },
})
