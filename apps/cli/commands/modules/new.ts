import type { ScaffoldOptions } from 'enigma'
import { command } from '../../command.js'
import { CliError } from '../../errors.js'
import { openManager } from '../../session.js'

interface Flags {
  readonly kind: NonNullable<ScaffoldOptions['kind']>
  readonly language: NonNullable<ScaffoldOptions['language']>
  readonly dir: string
}

export const modulesNew = command<Flags>({
  name: 'modules new',
  summary: 'write a new module that works, with tests',
  arguments: [{ name: '<id>', text: "its id: lower-case letters, digits and '-'" }],
  options: [
    {
      flags: '--kind <kind>',
      text: 'service answers calls, daemon works by itself, plugin adds to others',
      choices: ['service', 'daemon', 'plugin'],
      default: 'plugin',
    },
    { flags: '--language <language>', text: 'what it is written in', choices: ['js', 'ts', 'python'], default: 'js' },
    { flags: '--dir <folder>', text: "the folder that gets the module's folder", default: '.' },
  ],
  notes: ['None of the languages needs a build.'],
  async run({ args, options: { kind, language, dir }, out }) {
    const { scaffoldModule } = await import('enigma')
    const id = args[0]!
    await using manager = await openManager(out)
    const taken = manager.listModules().find((info) => info.id === id)
    if (taken)
      throw new CliError('USAGE', `The id '${id}' is taken: ${taken.description || 'there is such a module'}. Choose another.`)
    const { folder, files, linked } = await scaffoldModule({ id, kind, language, parent: dir })
    out.result({ id, folder, files, linked }, () =>
      [
        `Made the ${kind} '${id}' in ${folder}`,
        ...(linked ? [`Its node_modules/enigma is a link to ${linked}, for its tests.`] : []),
        '',
        `  cd ${folder} && npm test`,
        `  export ENIGMA_MODULES=${folder}`,
        `  enigma modules load ${id}`,
        `  enigma ${id}:status`,
      ].join('\n'),
    )
    return 0
  },
})
