export { type AdamWOptions, adamw } from './adamw.js'
export type { Optimizer, OptimizerSlot, ParameterGroup, UpdateContext } from './optimizer.js'
export { type Schedule, type ScheduleName, type ScheduleOptions, schedules } from './schedules.js'
