import { exportOnnx, nn } from '../browser.js'
import { lossCurve } from './loss-curve.js'

/** The script of the page that the test opens: trains, and says how it went. */

const report = globalThis as unknown as { finished?: (result: unknown) => void }

lossCurve().then(
  (result) => {
    const { bytes } = exportOnnx(new nn.Linear(2, 1, { seed: 1 }), { inputs: { x: { shape: [1, 2] } } })
    report.finished?.({ ...result, exported: bytes.length })
  },
  (error: Error) => report.finished?.({ error: `${error.name}: ${error.message}\n${error.stack}` }),
)
