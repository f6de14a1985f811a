import { CliError } from './errors.js'

// The flags of the seed documents on the bare command: `enigma --train --model tiny --data F --output D --epochs 3`.

interface Mode {
  readonly flag: string
  readonly text: string
  /** The command that does it now. */
  readonly command: string
}

export const modes: readonly Mode[] = [
  { flag: 'train', text: "as 'enigma train' (with --model or --size, --data, --output, --epochs)", command: 'train' },
  { flag: 'run', text: "as 'enigma chat' (with --model or --size)", command: 'chat' },
  { flag: 'serve', text: "as 'enigma serve' (with --model, --host, --port)", command: 'serve' },
  { flag: 'gui', text: "as 'enigma gui' (with --model, --host, --port)", command: 'gui' },
]

/** The sizes that the seed documents take under `--model`. */
const seedSizes = ['nano', 'micro', 'tiny', 'small', 'medium', 'large', 'xl', 'xxl', 'titan']

/**
 * The arguments with a seed flag turned into its command; others as they are.
 * @throws CliError USAGE when two modes are asked for
 */
export function translateSeedFlags(argv: readonly string[]): readonly string[] {
  if (!argv[0]?.startsWith('-')) return argv
  const asked = modes.filter(({ flag }) => argv.includes(`--${flag}`))
  if (asked.length === 0) return argv
  if (asked.length > 1) throw new CliError('USAGE', `Choose one of ${asked.map(({ flag }) => `--${flag}`).join(' and ')}.`)
  const { flag, command } = asked[0]!
  const rest = argv.filter((word) => word !== `--${flag}`)
  return [command, ...rest.map((word, i) => renamed(command, word, rest[i + 1]))]
}

/** An option by its name here: `--model` was a size to train, and one to talk to unless it names a model. */
function renamed(command: string, word: string, next: string | undefined): string {
  const [name, value] = word.split('=', 2) as [string, string?]
  const tail = value === undefined ? '' : `=${value}`
  if (name === '--output') return `--out${tail}`
  if (name === '--model' && (command === 'train' || seedSizes.includes(value ?? next ?? ''))) return `--size${tail}`
  return word
}
