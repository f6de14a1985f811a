import type { ModuleManager } from 'enigma'
import { command } from '../../command.js'
import { inCommandWords } from '../../command-words.js'
import { sentence } from '../../errors.js'
import { Interrupt } from '../../interrupt.js'
import type { Output } from '../../output/output.js'
import { changeSavedSet, openManager, openSavedSet } from '../../session.js'

interface Flags {
  readonly watch?: boolean
}

export const modulesReload = command<Flags>({
  name: 'modules reload',
  summary: "read a module's manifest and code anew; the old code stays if the new one fails",
  arguments: [{ name: '<module>', text: 'its id' }],
  options: [{ flags: '--watch', text: 'stay, and reload it whenever its files change, until Ctrl-C' }],
  async run({ args, options: { watch }, out }) {
    if (watch) return follow(args[0]!, out)
    const id = args[0]!
    await check(id, out)
    const report = await changeSavedSet(out, (manager) => manager.reload(id), [id])
    out.result(report, () => {
      const what = report.up ? `Reloaded '${report.id}'` : `Read '${report.id}' anew; it is not loaded`
      return `${what} ${report.version} (${report.ms.toFixed(0)} ms).`
    })
    return 0
  },
})

/** Whether the code and the manifest can be taken at all: said before the saved set is loaded with them. */
async function check(id: string, out: Output): Promise<void> {
  await using manager = await openManager(out)
  await manager.reload(id)
}

/** Loads the saved set and the module, then tells of each reload: a line, or a JSON object per line. */
async function follow(id: string, out: Output): Promise<number> {
  using interrupt = new Interrupt()
  await using manager = await openSavedSet(out, [id])
  const { ok, reason } = await manager.tryLoad(id)
  if (!ok) out.error(inCommandWords(reason))
  tell(manager, out)
  await manager.watch(id)
  const { state } = manager.getModule(id)
  out.result({ event: 'watching', id, state }, () => `Watching the files of '${id}' (${state}). Ctrl-C ends it.`)
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => undefined, 2 ** 30)
    const end = () => {
      clearInterval(alive)
      resolve()
    }
    if (interrupt.signal.aborted) end()
    else interrupt.signal.addEventListener('abort', end, { once: true })
  })
  return 0
}

function tell(manager: ModuleManager, out: Output): void {
  manager.events.on('module.reloaded', ({ id, version, ms }) => {
    out.result({ event: 'reloaded', id, version, ms }, () => `Reloaded '${id}' ${version} (${ms.toFixed(0)} ms).`)
  })
  manager.events.on('module.reload-failed', ({ id, message }) => {
    const said = inCommandWords(message)
    if (out.json) out.data({ event: 'failed', id, message: said })
    else out.error(`${sentence(said)} The code of before stays.`)
  })
}
