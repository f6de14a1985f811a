import { readFileSync } from 'node:fs'
import { Command as Commander, Option } from 'commander'
import type { Command, OptionSpec } from './command.js'
import { commands, groups } from './commands/index.js'
import { oneLine } from './errors.js'
import { Output } from './output/output.js'
import { modes } from './seed-flags.js'
import { applyValues, environmentName, readOptionsFile, readSettings } from './settings.js'

// The table of commands as a commander program. Nothing here loads a module: a command imports what it needs when it runs.

/** The program, and the exit code of the command it ran. */
interface Program {
  readonly commander: Commander
  readonly exitCode: () => number
}

export function makeProgram(): Program {
  let code = 0
  const root = prepare(new Commander('enigma'))
    .description('Enigma: train language models, talk to them, and compose them from modules.')
    .version(version(), '-V, --version', 'print the version')
    .enablePositionalOptions()
    .addHelpText('after', overview)
  for (const { flag, text } of modes) root.option(`--${flag}`, text)

  const parents = new Map<string, Commander>()
  for (const spec of commands) {
    const [first, second] = spec.name.split(' ') as [string, string?]
    if (second !== undefined && !parents.has(first)) parents.set(first, prepare(root.command(first)).description(groups[first]!))
    const child = describe(prepare(second === undefined ? root.command(first) : parents.get(first)!.command(second)), spec)
    child.action(async () => {
      code = (await perform(child, spec)) ?? 0
    })
  }
  return { commander: root, exitCode: () => code }
}

/** Gives a commander command the arguments, options and notes of a table entry. */
export function describe(target: Commander, { summary, arguments: args = [], options = [], notes = [] }: Command): Commander {
  target.description(summary)
  for (const { name, text } of args) target.argument(name, text)
  for (const spec of options) target.addOption(optionOf(spec))
  target.option('--json', 'print JSON and nothing else')
  if (notes.length > 0) target.addHelpText('after', `\n${notes.join('\n')}`)
  return target
}

/** Errors are thrown, not ended by `process.exit`, and take one line. */
export function prepare(target: Commander): Commander {
  return target
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text)}\n`) })
    .helpOption('-h, --help', 'show this help')
}

async function perform(target: Commander, spec: Command): Promise<number | undefined> {
  const { path, values } = readSettings()
  const given = target.opts<{ config?: string; json?: boolean }>()
  if (spec.optionsFile && given.config !== undefined) applyValues(target, await readOptionsFile(given.config), given.config)
  applyValues(target, values, path, settingNames())
  for (const { flags, required } of spec.options ?? []) {
    const missing = required && target.getOptionValue(new Option(flags).attributeName()) === undefined
    if (missing) target.error(`error: required option '${flags}' not specified`)
  }
  const out = new Output({ json: given.json === true })
  return spec.run({ options: target.opts(), args: target.args, out })
}

function optionOf({ flags, text, parse, choices, many, setting, ...rest }: OptionSpec): Option {
  const option = new Option(flags, text)
  if (choices) option.choices([...choices])
  if (parse) option.argParser((value) => parse(value))
  if (many) option.argParser((value, previous: readonly string[] | undefined) => [...(previous ?? []), value])
  if (setting) option.env(environmentName(option.attributeName()))
  if (rest.default !== undefined) option.default(rest.default)
  return option
}

function settingNames(): Set<string> {
  const specs = commands.flatMap(({ options = [] }) => options.filter(({ setting }) => setting))
  return new Set(specs.map(({ flags }) => new Option(flags).attributeName()))
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}

const overview = `
Start here:
  enigma chat                                      talk to the model that ships
  enigma run "Once upon a time"                    one answer
  enigma train --data book.txt --out ./my-model    train your own
  enigma <module>:<command>                        a command that a module brings

Settings come from flags, then ENIGMA_* variables, then config.json in the home folder (ENIGMA_HOME).
Exit codes: 0 fine, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C. ENIGMA_DEBUG=1 shows stack traces.`
