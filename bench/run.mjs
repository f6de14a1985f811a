/** `npm run bench [-- <suite> [flags]]`: lists the suites, or runs one (README.md). */
import { existsSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadAverage, machine } from './harness/machine.mjs'
import { lastLine, printReport, writeResult } from './harness/report.mjs'
import { UsageError } from './harness/usage-error.mjs'

const folder = new URL('./', import.meta.url)

const common = {
  tiny: { type: 'boolean', default: false, help: 'smallest sizes, one sample, nothing kept' },
  samples: { type: 'string', help: 'samples of each subject (5)' },
  help: { type: 'boolean', default: false, help: 'the flags of the suite' },
}

/** The folders that hold a suite.mjs. */
function suiteNames() {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/suite.mjs`, folder)))
    .map((entry) => entry.name)
}

function flags(options) {
  return Object.entries(options).map(([name, { type, help }]) => `  --${name}${type === 'string' ? ' <value>' : ''}  ${help}`)
}

/** The flags without `help`, which util.parseArgs does not know. */
function parseable(options) {
  return Object.fromEntries(Object.entries(options).map(([name, { help: _, ...option }]) => [name, option]))
}

function fail(message) {
  console.error(message)
  process.exitCode = 2
}

async function list() {
  console.log('Suites (npm run bench -- <suite> [flags]; --help for the flags):\n')
  for (const name of suiteNames()) {
    const { description } = await import(new URL(`${name}/suite.mjs`, folder).href)
    console.log(`  ${name.padEnd(10)} ${description}`)
  }
}

async function run(name, rest) {
  if (!suiteNames().includes(name)) return fail(`No suite "${name}". There are: ${suiteNames().join(', ')}.`)
  const suite = await import(new URL(`${name}/suite.mjs`, folder).href)
  const options = { ...common, ...suite.options }
  let values
  try {
    values = parseArgs({ args: rest, options: parseable(options) }).values
  } catch (error) {
    return fail(`${error.message}\nFlags of ${name}:\n${flags(options).join('\n')}`)
  }
  if (values.help) return console.log(`${name}: ${suite.description}\n${flags(options).join('\n')}`)
  const samples = Number(values.samples ?? (values.tiny ? 1 : 5))
  if (!Number.isInteger(samples) || samples < 1) return fail(`--samples must be a whole number from 1, got ${values.samples}.`)

  const load = loadAverage()
  const log = (line) => console.error(line)
  let result
  try {
    result = await suite.run({ options: values, tiny: values.tiny, samples, load, log })
  } catch (error) {
    if (error instanceof UsageError) return fail(error.message)
    throw error
  }
  if (result === undefined) return
  const report = { suite: name, load, machine: machine(), ...result }
  printReport(report)
  if (!values.tiny) await writeResult(new URL(`results/${name}.json`, folder), report)
  console.log(lastLine(report))
  if (report.voided.length > 0) process.exitCode = 1
}

const [name, ...rest] = process.argv.slice(2)
if (name === undefined || name === '--help') await list()
else await run(name, rest)
