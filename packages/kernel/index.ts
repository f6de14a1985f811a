// The module system: manifests, discovery, resolver, transactions, scopes, services, events, ledger. Knows nothing of AI.

export type { ModuleConfig } from './config/config.js'
export { defineModule, type Health, type ModuleDefinition } from './define.js'
export { checkModules, type ModuleProblem } from './discovery/check.js'
export type { CommandContext, ModuleCommand } from './discovery/entry.js'
export type { SeedModule, SeedModuleClass } from './discovery/seed-class.js'
export { ModuleError, type ModuleErrorCode, type ModuleErrorDetails, ServiceGone } from './errors.js'
export type { EventRecord } from './events/event-history.js'
export * from './events/event-map.js'
export type { QueueOptions } from './events/event-queue.js'
export { type DeliveryReport, EventBus, type EventHandler, type SubscribeOptions } from './events/events.js'
export * from './events/hook-map.js'
export { Hooks, type TapOptions } from './events/hooks.js'
export type { QueueInfo } from './events/subscription.js'
export type { ModuleEventsView, ModuleHooksView } from './events/views.js'
export type { ModuleWatch } from './hot-reload/watch-modules.js'
export { ModuleInstaller, type StagedModule } from './install/installer.js'
export * from './interfaces.js'
export type { ModuleContext, ModuleLog, ModuleTimers } from './lifecycle/context.js'
export { Scope } from './lifecycle/scope.js'
export { type Token, token, unwrap } from './lifecycle/services.js'
export type { ModulePhase, ModuleState } from './lifecycle/state.js'
export type { GraphEdge, ModuleGraph, Why, WhyLine } from './manager/introspection.js'
export { ModuleManager } from './manager/manager.js'
export type {
  CanLoad,
  LoadAllReport,
  LoadOptions,
  LoadReport,
  ManagerOptions,
  RestoreOptions,
  RestoreReport,
  SwapOptions,
  SwapReport,
} from './manager/manager-types.js'
export type { ReloadReport } from './manager/reload.js'
export type { Timeline, TimelineEntry, TimelineIncident } from './manager/timeline.js'
export type { ModuleFilter, ModuleInfo, ModuleView } from './manager/views.js'
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
} from './manifest/manifest.js'
export { ManifestReader, type ManifestResult } from './manifest/manifest-read.js'
export type { Capacity } from './resolver/admission.js'
export { Catalogue, LoadedSet } from './resolver/catalogue.js'
export type { Constraint, ConstraintKind } from './resolver/constraint.js'
export { type Conflict, type Goal, type Lock, type Plan, type PlanStep, plan, type ResolverState } from './resolver/resolver.js'
export { type Dependent, planSwap, type SwapPlan } from './resolver/swap.js'
export type { Gpu, GpuApi } from './resources/gpus.js'
export type { HardwareOverrides, HardwareProfile } from './resources/hardware.js'
export type { Amounts, Claim, Device, LedgerEntry, PoolReport } from './resources/ledger.js'
export type { PressureLevel } from './resources/pool.js'
export type { ModuleResources, ResourceReport } from './resources/resource-report.js'
export { type PermissionLine, permissionReport } from './runtimes/sandbox/permission-report.js'
export { detectPlatform, type Platform } from './runtimes/sandbox/platform.js'
export type { HealthRecord } from './supervision/health.js'
export type { Quarantined } from './supervision/quarantine.js'
export type { RestartPolicy } from './supervision/restart-policy.js'
export { parseDuration, parseSize } from './units.js'
