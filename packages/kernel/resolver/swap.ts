import type { Manifest } from '../manifest/manifest.js'
import { requiredVram } from './admission.js'
import type { Constraint } from './constraint.js'
import { type Conflict, type Plan, type PlanStep, plan, type ResolverState } from './resolver.js'

// One module put in the place of another while those that use it stay loaded. Pure: what the swap would do, or why not.

/** A loaded module that is bound to the one that goes, directly or through others. */
export interface Dependent {
  readonly manifest: Manifest
  /** Indexes into `manifest.requires` that are bound to the one that goes; empty when it is bound only through others. */
  readonly requirements: readonly number[]
}

export interface SwapPlan extends Plan {
  /** Whether the new side can be loaded while the old one is still there (make before break): memory, GPU and conflicts allow both. */
  readonly together: boolean
}

/**
 * What must be loaded so that `to` takes the place of `from`, the dependents staying loaded and bound to `to`.
 * `dependents` are all loaded modules bound to `from`, those bound through others included: the new side may need none of
 * them (a cycle), nor `from` itself. No steps when `to` is loaded already.
 */
export function planSwap(
  { from, to }: { readonly from: string; readonly to: string },
  state: ResolverState,
  dependents: readonly Dependent[],
): SwapPlan | Conflict {
  const apart = dependents.map(({ manifest }) => manifest.id)
  const next = state.catalogue.get(to)
  const asked: Constraint = { kind: 'goal', module: to }
  if (from === to) {
    const reason = `Module '${from}' cannot take its own place. Reload it instead.`
    return refuse('CONFLICT', reason, [asked, { kind: 'leaving', module: to }])
  }
  if (apart.includes(to)) {
    const reason = `Module '${to}' needs '${from}' and cannot take its place. Unload '${to}' first.`
    return refuse('CYCLE', reason, [asked, { kind: 'apart', module: to }])
  }
  if (next) {
    for (const { manifest, requirements } of dependents) {
      for (const index of requirements) {
        const { capability, text } = manifest.requires[index]!
        const offered = versionOf(next, capability)
        if (offered !== undefined && state.catalogue.satisfies(offered, manifest.requires[index]!)) continue
        const why =
          capability === from
            ? 'it asks for that module by its id'
            : offered === undefined
              ? `'${to}' does not provide it`
              : `'${to}' offers ${offered}`
        const reason = `Module '${to}' cannot take the place of '${from}': '${manifest.id}' needs '${text}', and ${why}. Unload '${manifest.id}' first.`
        return refuse('NO_PROVIDER', reason, [asked, { kind: 'dependent', module: manifest.id, what: text, other: from }])
      }
    }
  }
  const result = plan({ load: [to], without: [from], apart }, state)
  if (!result.ok) return result
  return { ...result, together: fitsBeside(from, result.steps, state) }
}

/** Whether the steps can be loaded while `from` is still there. Its exclusive capabilities do not count: they pass on at the switch. */
function fitsBeside(from: string, steps: readonly PlanStep[], { catalogue, capacity }: ResolverState): boolean {
  let ram = 0
  let vram = 0
  for (const { manifest } of steps) {
    if (catalogue.conflictsOf(from).has(manifest.id)) return false
    ram += manifest.resources.ram
    vram += requiredVram(manifest)
  }
  if (capacity.unified && ram + vram > capacity.ram) return false
  return ram <= capacity.ram && vram <= capacity.vram
}

function versionOf(manifest: Manifest, capability: string): string | undefined {
  if (manifest.id === capability) return manifest.version
  return manifest.provides.find((provision) => provision.capability === capability)?.version
}

function refuse(code: Conflict['code'], reason: string, because: readonly [Constraint, Constraint]): Conflict {
  const [{ module: to }, { module }] = because
  return { ok: false, code, module, reason, chain: [to], modules: [module], because, alternatives: [] }
}
