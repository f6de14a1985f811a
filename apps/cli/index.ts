import { failureOf } from './errors.js'
import { Output } from './output/output.js'

// The `enigma` command: arguments in, text or JSON out. `bin/enigma.js` calls `main`.

/** Runs the command line; the answer is the exit code. Nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : report(error)))
  try {
    return await dispatch(argv)
  } catch (error) {
    return report(error)
  }
}

/** Says what was thrown; the answer is the exit code. */
function report(error: unknown): number {
  const failure = failureOf(error)
  if (!failure) return 0
  if (failure.line) new Output({ json: false }).error(failure.line)
  if (process.env.ENIGMA_DEBUG) console.error(error)
  return failure.exitCode
}

async function dispatch(argv: readonly string[]): Promise<number> {
  if (argv.length === 0 && process.stdin.isTTY && process.stdout.isTTY) {
    const { menu } = await import('./menu.js')
    const chosen = await menu()
    return chosen ? dispatch(chosen) : 0
  }
  if (/^[a-z0-9][\w-]*:[\w:-]+$/i.test(argv[0] ?? '')) {
    const { runContributed } = await import('./contributed.js')
    return runContributed(argv[0]!, argv.slice(1))
  }
  const { translateSeedFlags } = await import('./seed-flags.js')
  const words = translateSeedFlags(argv)
  const { makeProgram } = await import('./program.js')
  const { commander, exitCode } = makeProgram()
  if (words.length === 0 || (words.length === 1 && ['--help', '-h', 'help'].includes(words[0]!))) {
    const { contributedOverview } = await import('./contributed.js')
    commander.addHelpText('after', await contributedOverview())
  }
  await commander.parseAsync(words.length === 0 ? ['--help'] : [...words], { from: 'user' })
  return exitCode()
}
