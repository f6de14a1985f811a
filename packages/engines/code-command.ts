import { readFile } from 'node:fs/promises'
import type { CodeGeneration, GenerateOptions } from '@enigma/contracts'
import type { ModuleCommand } from '@enigma/kernel'
import { EngineError } from './engine-error.js'

/** `<module>:complete`, of a module that completes code. */
export function codeCommand(module: string): ModuleCommand {
  return {
    name: 'complete',
    description: 'Complete code: given, or in a file at the end of a line',
    async execute({ getInterface, args, options, signal }) {
      const { prefix, suffix } = await gap(args, options)
      const service = (await getInterface(module)) as CodeGeneration
      const limits = { maxTokens: options.maxTokens, temperature: options.temperature } as GenerateOptions
      return (await service.complete(prefix, suffix, { ...limits, signal })).text
    },
  }
}

/** The texts around the cursor. @throws EngineError INVALID_OPTION */
async function gap(
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<{ prefix: string; suffix: string }> {
  const { file, line, suffix = '' } = options
  if (file === undefined) {
    if (args.length > 0) return { prefix: args.join(' '), suffix: String(suffix) }
    throw new EngineError('INVALID_OPTION', 'Give the code to complete, or --file and --line.')
  }
  if (args.length > 0 || suffix !== '') throw new EngineError('INVALID_OPTION', 'Give code, or --file; not both.')
  const lines = (await readFile(String(file), 'utf8')).split(/(?<=\n)/)
  const at = line === undefined ? lines.length : Number(line)
  if (!(Number.isInteger(at) && at >= 1 && at <= lines.length))
    throw new EngineError('INVALID_OPTION', `--line must be a line of ${file}, from 1 to ${lines.length}, got ${line}`)
  const last = lines[at - 1]!
  const end = /\r?\n$/.exec(last)?.[0] ?? ''
  const prefix = lines.slice(0, at - 1).join('') + last.slice(0, last.length - end.length)
  return { prefix, suffix: end + lines.slice(at).join('') }
}
