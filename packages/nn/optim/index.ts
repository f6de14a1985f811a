export { type AdamWOptions, adamw, type Optimizer } from './adamw.js'
export { type Schedule, type ScheduleName, type ScheduleOptions, schedules } from './schedules.js'
