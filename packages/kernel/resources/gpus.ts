import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { basename, delimiter } from 'node:path'
import { readText } from './read-text.js'

// Finding graphics processors, through their drivers, and only where a device file says that there may be one.

export type GpuApi = 'cuda' | 'rocm' | 'metal' | 'vulkan' | 'webgpu' | 'unknown'

/** A graphics processor. Sizes in bytes; 0 where the driver does not say, or where it shares the machine's memory. */
export interface Gpu {
  readonly name: string
  readonly vramTotal: number
  /** As last looked at. */
  readonly vramFree: number
  /** The interface of its own driver. */
  readonly api: GpuApi
  /** All interfaces found to reach it, `api` among them. */
  readonly apis?: readonly GpuApi[]
}

/** The processors in the order of their drivers' numbers, and whether they share the machine's memory. */
interface FoundGpus {
  readonly gpus: readonly Gpu[]
  readonly unified: boolean
}

export async function findGpus(): Promise<FoundGpus> {
  if (!mayHaveGpu()) return { gpus: [], unified: false }
  const nvidia = nvidiaGpus(await askNvidia())
  const amd = amdGpus()
  // A maker whose driver answered itself is not taken from the general list once more.
  const known = (name: string) => (nvidia.length > 0 && /nvidia/i.test(name)) || (amd.length > 0 && /amd|radeon/i.test(name))
  const others = (await otherGpus()).filter(({ name }) => !known(name))
  const gpus = [...nvidia, ...amd, ...others].map((gpu) => ({ ...gpu, apis: apisOf(gpu) }))
  const apple = platform() === 'darwin' && arch() === 'arm64'
  return { gpus, unified: gpus.length > 0 && (apple || gpus.every(({ vramTotal }) => vramTotal === 0)) }
}

/** Free memory anew, of those whose driver is quick to ask; the others as they were. */
export async function refreshGpus(gpus: readonly Gpu[]): Promise<readonly Gpu[]> {
  const asked = gpus.some(({ api }) => api === 'cuda') ? nvidiaGpus(await askNvidia()) : []
  const live = [...asked, ...amdGpus()]
  const taken = new Set<Gpu>()
  return gpus.map((gpu) => {
    const now = live.find((other) => !taken.has(other) && other.name === gpu.name && other.vramTotal === gpu.vramTotal)
    if (now === undefined) return gpu
    taken.add(now)
    return { ...gpu, vramFree: now.vramFree }
  })
}

/** Lines of `name, total, free` in mebibytes → processors; `[N/A]` stands for memory shared with the machine. */
export function nvidiaGpus(csv: string): Gpu[] {
  return csv.split('\n').flatMap((line) => {
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length < 3 || cells[0] === '') return []
    const [total, free] = cells.slice(-2).map((cell) => Math.max(0, Number(cell) || 0) * 2 ** 20)
    return [{ name: cells.slice(0, -2).join(', '), vramTotal: total!, vramFree: Math.min(free!, total!), api: 'cuda' as const }]
  })
}

function mayHaveGpu(): boolean {
  if (platform() !== 'linux') return true
  return ['/dev/kfd', '/dev/nvidiactl', '/dev/dri', '/dev/dxg'].some((path) => existsSync(path))
}

// The driver's own tool: inside containers there is often nothing else (no lspci).
function askNvidia(): Promise<string> {
  if (platform() === 'darwin' || (platform() === 'linux' && !existsSync('/dev/nvidiactl') && !existsSync('/dev/dxg')))
    return Promise.resolve('')
  const question = ['--query-gpu=name,memory.total,memory.free', '--format=csv,noheader,nounits']
  return new Promise((resolve) => {
    execFile('nvidia-smi', question, { timeout: 5_000, windowsHide: true }, (error, stdout) => resolve(error ? '' : stdout))
  })
}

function amdGpus(): Gpu[] {
  const root = '/sys/class/drm'
  const api = existsSync('/dev/kfd') ? 'rocm' : 'unknown'
  const cards = listing(root).filter((name) => /^card\d+$/.test(name))
  cards.sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)))
  return cards.flatMap((card): Gpu[] => {
    const total = Number(readText(`${root}/${card}/device/mem_info_vram_total`))
    if (!(total > 0)) return []
    const used = Number(readText(`${root}/${card}/device/mem_info_vram_used`) ?? 0)
    const name = readText(`${root}/${card}/device/product_name`) ?? `AMD ${card}`
    return [{ name, vramTotal: total, vramFree: Math.max(0, total - used), api }]
  })
}

async function otherGpus(): Promise<Gpu[]> {
  // Imported here: it is large, and most machines without a GPU never need it.
  const { default: si } = await import('systeminformation')
  const { controllers } = await si.graphics()
  return controllers
    .filter((controller) => (controller.memoryTotal ?? controller.vram ?? 0) > 0 || /apple/i.test(controller.vendor))
    .map((controller) => {
      const total = (controller.memoryTotal ?? controller.vram ?? 0) * 2 ** 20
      const free = controller.memoryFree === undefined ? total : controller.memoryFree * 2 ** 20
      const name = controller.name ?? controller.model
      const api = /nvidia/i.test(`${controller.vendor} ${name}`) ? 'cuda' : /apple/i.test(controller.vendor) ? 'metal' : 'unknown'
      // The maker's name, so that one who answered itself is recognised.
      return {
        name: /nvidia|amd|intel|apple/i.test(name) ? name : `${controller.vendor} ${name}`.trim(),
        vramTotal: total,
        vramFree: free,
        api,
      }
    })
}

const vulkanDrivers: readonly (readonly [driver: RegExp, gpu: RegExp])[] = [
  [/nvidia|nouveau/, /nvidia|geforce|tesla|quadro|\b[ahl]\d{2,3}\b/i],
  [/radeon|amd/, /amd|radeon|instinct/i],
  [/intel/, /intel|arc\b/i],
]

function apisOf({ api, name }: Gpu): GpuApi[] {
  const given = (process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES ?? '').split(delimiter)
  const folders = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d']
  const drivers = [...given.map((path) => basename(path)), ...folders.flatMap(listing)]
  const vulkan = vulkanDrivers.some(([driver, gpu]) => gpu.test(name) && drivers.some((file) => driver.test(file)))
  const webgpu = (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu !== undefined
  return [api, ...(vulkan && api !== 'vulkan' ? (['vulkan'] as const) : []), ...(webgpu ? (['webgpu'] as const) : [])]
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
