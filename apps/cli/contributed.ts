import { Command as Commander } from 'commander'
import type { ModuleInfo } from 'enigma'
import type { OptionSpec } from './command.js'
import { Interrupt } from './interrupt.js'
import { Output, visible } from './output/output.js'
import { number } from './parse.js'
import { describe, prepare } from './program.js'
import { openManager, openManagerOf } from './session.js'

/** `enigma <module>:<command>`: runs what a module contributes, with the options its manifest lists. Returns the exit code. */
export async function runContributed(word: string, argv: readonly string[]): Promise<number> {
  const at = word.indexOf(':')
  const [id, name] = [word.slice(0, at), word.slice(at + 1)]
  await using manager = await openManagerOf(id, new Output({ json: argv.includes('--json') }))
  const info = manager.getModule(id).info.contributes.commands.find((command) => command.name === name)
  // The manager's error says which commands there are.
  if (!info) await manager.command(id, name)
  const target = describe(prepare(new Commander(`enigma ${word}`)), {
    name: word,
    summary: info!.description,
    arguments: [{ name: '[arguments...]', text: 'passed on to the command' }],
    options: info!.options.map(optionOf),
    run: async () => 0,
  })
  target.parse([...argv], { from: 'user' })
  const { json, ...options } = target.opts<Record<string, unknown>>()
  const out = new Output({ json: json === true })
  using interrupt = new Interrupt()
  // A command that can itself answer in JSON is asked to: its text alone would be one long string.
  const speaksJson = json === true && info!.options.some((option) => option.name === 'format' && option.choices?.includes('json'))
  if (speaksJson) options.format = 'json'
  const answer = await manager.runCommand(id, name, { options, args: target.args, signal: interrupt.signal })
  if (answer !== undefined)
    out.result(speaksJson ? fromJson(answer) : answer, () =>
      typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2),
    )
  return interrupt.exitCode ?? 0
}

/** The value in a text of JSON; anything else as it is. */
function fromJson(answer: unknown): unknown {
  if (typeof answer !== 'string') return answer
  try {
    return JSON.parse(answer)
  } catch {
    return answer
  }
}

/** The commands that modules bring, for `enigma --help`: read from their manifests. Empty where those cannot be read. */
export async function contributedOverview(): Promise<string> {
  try {
    await using manager = await openManager(new Output({ json: true }))
    const brought = manager.listModules().flatMap(({ id, commands }) => commands.map((command) => ({ id, ...command })))
    const width = Math.max(...brought.map(({ id, name }) => id.length + name.length + 1))
    const rows = brought.map(({ id, name, description }) => `  ${`${id}:${name}`.padEnd(width)}  ${visible(description)}`)
    return ['', 'Commands of modules:', ...rows].join('\n')
  } catch {
    return '' // whoever asks for help gets help; 'modules ls' says what is wrong
  }
}

type Option = ModuleInfo['commands'][number]['options'][number]

function optionOf({ name, alias, type = 'string', description = '', required, choices }: Option): OptionSpec {
  const short = alias !== undefined && alias.length === 1 ? `-${alias}, ` : ''
  const value = type === 'boolean' ? '' : ` <${type === 'array' ? 'text' : type}>`
  return {
    flags: `${short}--${name}${value}`,
    text: description,
    ...(type === 'number' && { parse: number(Number.NEGATIVE_INFINITY) }),
    ...(type === 'array' && { many: true }),
    ...(required && { required }),
    ...(choices && { choices: choices.map(String) }),
  }
}
