import type { Output } from './output/output.js'

// What a command is: data that `--help` is made from, and a `run` that imports what it needs when it runs.

/** Reads an option's text. Throws commander's `InvalidArgumentError` with what is expected. */
export type Parser = (text: string) => unknown

export interface OptionSpec {
  /** As commander writes them: `--top-k <n>`, `-f, --force`. */
  readonly flags: string
  readonly text: string
  readonly parse?: Parser
  readonly choices?: readonly string[]
  readonly default?: unknown
  /** May be given several times; the value is a list. */
  readonly many?: boolean
  /** Must be given, by flag or file. */
  readonly required?: boolean
  /** Also taken from `ENIGMA_<NAME>` and from the settings file. */
  readonly setting?: boolean
}

export interface ArgumentSpec {
  /** `<module>` must be given, `[model]` may be, `[folders...]` takes many. */
  readonly name: string
  readonly text: string
}

/** One call of a command: everything it may read. */
export interface Call<Options> {
  readonly options: Options
  /** Arguments in order; a variadic one is spread at the end. */
  readonly args: readonly string[]
  readonly out: Output
}

export interface Command<Options = unknown> {
  /** Words after `enigma`: `run`, `modules why`. */
  readonly name: string
  readonly summary: string
  readonly arguments?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  /** Examples and remarks under the help, a line each. */
  readonly notes?: readonly string[]
  /** Where `--config` may name a file with the options of this command. */
  readonly optionsFile?: boolean
  /** The exit code; nothing is 0. */
  run(call: Call<Options>): Promise<number | undefined>
}

/** Types the options of a command; its `options` table and the type must agree. */
export function command<Options>(spec: Command<Options>): Command {
  return spec as Command
}
