// What keeps a plan from being found is said in constraints: facts of the goal, the manifests and the state, each of
// which could be lifted alone. A refusal names a set of them that no plan can meet, none of them too many.

export type ConstraintKind =
  /** The module was asked for. */
  | 'goal'
  /** The module needs `what`. */
  | 'requires'
  /** The module may not be loaded at all. */
  | BarrierKind
  /** The module's memory must fit beside the rest. */
  | 'ram'
  | 'vram'
  /** The module and `other` may not be loaded together. */
  | 'conflict'
  /** The module and `other` both provide `what`, and one of them exclusively. */
  | 'capability'
  /** The loaded module may not serve the new ones: it depends on what is being replaced. */
  | 'apart'
  /** The loaded module is bound, by its requirement `what`, to `other`, which is being replaced. */
  | 'dependent'

/** Reasons of one module alone, in the order in which they are looked at. */
export type BarrierKind = 'unavailable' | 'leaving' | 'quarantine' | 'disabled' | 'api' | 'cloud' | 'gpu' | 'device'

export interface Constraint {
  readonly kind: ConstraintKind
  readonly module: string
  /** The requirement as written, or the capability. */
  readonly what?: string
  readonly other?: string
}

export function keyOf({ kind, module, what = '', other = '' }: Constraint): string {
  return `${kind} ${module} ${what} ${other}`
}

/** A constraint between two modules that are both to be loaded has no direction: one name for it. */
export function between(kind: 'conflict' | 'capability', a: string, b: string, what?: string): Constraint {
  const [module, other] = a < b ? [a, b] : [b, a]
  return what === undefined ? { kind, module, other } : { kind, module, other, what }
}
