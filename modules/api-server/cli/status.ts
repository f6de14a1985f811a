import type { ModuleCommand } from '@enigma/kernel'
import { readRunFile } from '../run-file.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show where the server of this user runs, and what it does',
  async execute() {
    const running = await readRunFile()
    if (!running) return 'No server runs. Start one with: enigma serve'
    const { pid, url, started } = running
    const ready = await fetch(`${url}/ready`).then(
      (answer) => answer.json() as Promise<{ model: string | null }>,
      () => undefined,
    )
    const model = ready === undefined ? 'it does not answer' : ready.model === null ? 'no model loaded' : `model ${ready.model}`
    return `${url}, process ${pid}, since ${started}, ${model}`
  },
}
