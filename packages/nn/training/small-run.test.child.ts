import { fit } from '../index.js'
import { network, options } from './small-run.test.fixture.js'

/** Trains in a folder and says each step, until somebody kills it. */
const folder = process.argv[2]!
await fit(
  network(),
  options({
    epochs: 6,
    checkpoint: { folder, everySteps: 1, resume: true },
    callbacks: [{ onStep: ({ step }) => void process.stdout.write(`${step}\n`) }],
  }),
)
