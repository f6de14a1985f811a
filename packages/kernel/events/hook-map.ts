// Hooks ask modules for answers; events tell them what has happened. A hook has one kind, which says what becomes of the answers.

/** `bail`: the first answer wins; `waterfall`: each changes the value; `series`: one after the other; `parallel`: all at once. */
export type HookKind = 'bail' | 'waterfall' | 'series' | 'parallel'

/** A hook in `ModuleHooks`: its kind, what its taps are given, and what they answer (`waterfall`: the value itself). */
export interface Hook<Kind extends HookKind, Value, Answer = Kind extends 'waterfall' ? Value : void> {
  readonly kind: Kind
  readonly value: Value
  readonly answer: Answer
}

/**
 * Names of hooks. Packages add theirs by declaration merging:
 * `declare module '@enigma/kernel' { interface ModuleHooks { 'prompt.prepare': Hook<'waterfall', string> } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by the packages that augment it
export interface ModuleHooks {}

/** Names that may be called as this kind: those declared so, and those that no package has declared. */
export type HookName<Kind extends HookKind, Name extends string> = Name extends keyof ModuleHooks
  ? ModuleHooks[Name] extends Hook<Kind, infer _Value, infer _Answer>
    ? Name
    : never
  : Name

export type HookValue<Name extends string> = Name extends keyof ModuleHooks
  ? ModuleHooks[Name] extends Hook<HookKind, infer Value, infer _Answer>
    ? Value
    : never
  : unknown

export type HookAnswer<Name extends string> = Name extends keyof ModuleHooks
  ? ModuleHooks[Name] extends Hook<HookKind, infer _Value, infer Answer>
    ? Answer
    : never
  : unknown

/** What may be tapped in. `bail` and `waterfall` may answer undefined: no answer, the value as it is. */
export type Tap<Name extends string> = (value: HookValue<Name>) => Allowed<Name> | PromiseLike<Allowed<Name>>

type Allowed<Name extends string> = Name extends keyof ModuleHooks
  ? ModuleHooks[Name] extends Hook<'bail' | 'waterfall', infer _Value, infer Answer>
    ? // biome-ignore lint/suspicious/noConfusingVoidType: a tap without an answer is a function without `return`
      Answer | undefined | void
    : HookAnswer<Name>
  : unknown
