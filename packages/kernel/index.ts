// The module system: manifests, discovery, resolver, transactions, scopes, services, events, ledger. Knows nothing of AI.

export type { Capacity } from './admission.js'
export { Catalogue, LoadedSet } from './catalogue.js'
export { checkModules, type ModuleProblem } from './check.js'
export type { ModuleConfig } from './config.js'
export type { ModuleContext, ModuleEventsView, ModuleLog, ModuleTimers } from './context.js'
export { defineModule, type Health, type ModuleDefinition } from './define.js'
export type { CommandContext, ModuleCommand } from './entry.js'
export { ModuleError, type ModuleErrorCode, type ModuleErrorDetails, ServiceGone } from './errors.js'
export type { EventRecord } from './event-history.js'
export * from './event-map.js'
export { type DeliveryReport, EventBus, type EventHandler, type SubscribeOptions } from './events.js'
export type { Gpu, HardwareOverrides, HardwareProfile } from './hardware.js'
export * from './interfaces.js'
export type { GraphEdge, ModuleGraph, Timeline, TimelineEntry, Why, WhyLine } from './introspection.js'
export type { Amounts, LedgerEntry } from './ledger.js'
export { ModuleManager } from './manager.js'
export type { CanLoad, LoadOptions, LoadReport, ManagerOptions, RestoreReport } from './manager-types.js'
export type {
  CommandInfo,
  CommandOption,
  JsonSchema,
  Manifest,
  ManifestInput,
  ModuleCategory,
  ModuleKind,
  ModuleRuntime,
  Provision,
  Requirement,
  Resources,
} from './manifest.js'
export { ManifestReader, type ManifestResult } from './manifest-read.js'
export { type Conflict, type Goal, type Plan, type PlanStep, plan, type ResolverState } from './resolver.js'
export { Scope } from './scope.js'
export type { SeedModule, SeedModuleClass } from './seed-class.js'
export { type Token, token, unwrap } from './services.js'
export type { ModulePhase, ModuleState } from './state.js'
export type { ModuleInfo, ModuleView } from './views.js'
