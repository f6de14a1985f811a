/**
 * What `getInterface(id)` answers, by module id. Modules add theirs by declaration merging:
 * `declare module '@enigma/kernel' { interface ModuleInterfaces { inference: TextGeneration } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by the packages that augment it
export interface ModuleInterfaces {}
