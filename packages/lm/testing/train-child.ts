// A child process that trains with the options of its argument and prints each event: for tests that kill it.
import { train } from '../training/train.js'

const result = await train(JSON.parse(process.argv[2]!), (event) => process.stdout.write(`${JSON.stringify(event)}\n`))
process.stdout.write(`${JSON.stringify({ type: 'done', ...result })}\n`)
process.exit(0)
