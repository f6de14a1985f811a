import type { Manifest } from '../manifest/manifest.js'
import type { Provider } from './catalogue.js'
import type { ResolverState } from './resolver.js'

// Which provider first: the lock, the user's choice, what is loaded, what fits the hardware; then, as the catalogue has
// them, priority, version, id.

const order = { locked: 0, lockedVersion: 1, wished: 2, loaded: 3, fits: 4, other: 5 }

/** Whether it is worth bringing a provider in although another one is there. */
export function wanted(provider: Provider, capability: string, state: ResolverState): boolean {
  return rank(provider, capability, state) < order.loaded
}

/** Best first; `providers` are in the catalogue's order. */
export function byPreference(providers: Provider[], capability: string, state: ResolverState): Provider[] {
  if (providers.length < 2) return providers
  const ranks = new Map(providers.map((provider) => [provider, rank(provider, capability, state)]))
  return providers.sort((a, b) => ranks.get(a)! - ranks.get(b)!)
}

function rank({ manifest }: Provider, capability: string, state: ResolverState): number {
  const { id, version } = manifest
  if (state.lock?.bindings.get(capability) === id) return order.locked
  if (state.lock?.versions.get(id) === version) return order.lockedVersion
  if (state.prefer?.get(capability) === id) return order.wished
  if (state.loaded.has(id)) return order.loaded
  return fits(manifest, state) ? order.fits : order.other
}

// What does not fit at all is refused anyway; here it is about a module that would run without the GPU it prefers.
function fits({ resources: { gpu, vram, device } }: Manifest, { capacity }: ResolverState): boolean {
  return gpu !== 'preferred' || device === 'cpu' || (capacity.gpu && vram <= capacity.vram)
}
