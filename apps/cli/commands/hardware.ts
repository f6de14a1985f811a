import { command } from '../command.js'
import { bytes } from '../output/format.js'
import { openManager } from '../session.js'

export const hardware = command({
  name: 'hardware',
  summary: 'what this machine offers',
  async run({ out }) {
    await using manager = await openManager(out)
    const { cpuCores, ramTotal, ramFree, gpus, unifiedMemory, diskFree, platform, arch } = manager.hardwareProfile
    const value = { platform, arch, cpuCores, ramTotal, ramFree, gpus, unifiedMemory, diskFree }
    out.result(value, () =>
      [
        `system  ${platform} ${arch}`,
        `cores   ${cpuCores}`,
        `memory  ${bytes(ramTotal)}, ${bytes(ramFree)} free`,
        ...(gpus.length === 0 ? ['gpu     none'] : []),
        ...gpus.map((gpu) => `gpu     ${gpu.name}: ${bytes(gpu.vramTotal)}, ${bytes(gpu.vramFree)} free (${gpu.api})`),
        `disk    ${bytes(diskFree)} free`,
      ].join('\n'),
    )
    return 0
  },
})
