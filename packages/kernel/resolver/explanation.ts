import type { Manifest } from '../manifest/manifest.js'
import type { Provider } from './catalogue.js'
import { type Constraint, keyOf } from './constraint.js'

// How a search remembers why: each member leads back to the choice that brought it in, each failure to the constraints
// and choices it follows from. A choice that a failure does not follow from is jumped over, and what is left at the end
// are the constraints that no choice can meet. (Conflict-directed backjumping: Prosser 1993.)

/** A module of the plan, or a loaded one that a module of the plan asked about. */
export interface Member {
  readonly manifest: Manifest
  /** Its place in the catalogue. */
  readonly index: number
  readonly loaded: boolean
  /** The how-manieth member it is; -1 when it is loaded. */
  readonly position: number
  /** Undefined: asked for, or loaded. */
  readonly via: Choice | undefined
  /** Who meets each requirement, where there is only one who can. */
  readonly bound: (Member | undefined)[]
}

/** One of these modules must come. */
export interface Choice {
  /** Whose need it is; undefined where only another provider can open a cycle. */
  readonly owner: Member | undefined
  readonly requirement: number
  readonly options: readonly Provider[]
  /** The next option to try. */
  next: number
  /** Whether it can be done without: the options are only preferred to what is there. */
  readonly met: boolean
  /** Why one of the options must come. */
  readonly base: Explanation | undefined
  /** Why those tried so far cannot. */
  failed: Explanation | undefined
  /** Where the search stood. */
  readonly members: number
  readonly at: number
}

export class Explanation {
  readonly constraints = new Map<string, Constraint>()
  readonly choices = new Set<Choice>()

  add(constraint: Constraint): this {
    this.constraints.set(keyOf(constraint), constraint)
    return this
  }

  /** Because this member is in. */
  because({ loaded, via, manifest }: Member): this {
    if (loaded) return this
    if (via) this.choices.add(via)
    else this.add({ kind: 'goal', module: manifest.id })
    return this
  }

  merge({ constraints, choices }: Explanation): this {
    for (const [key, constraint] of constraints) this.constraints.set(key, constraint)
    for (const choice of choices) this.choices.add(choice)
    return this
  }
}
