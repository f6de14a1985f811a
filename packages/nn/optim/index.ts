export { type AdafactorOptions, adafactor } from './adafactor.js'
export { type AdagradOptions, adagrad } from './adagrad.js'
export { type AdamOptions, type AdamWOptions, adam, adamw } from './adam.js'
export { Ema, type EmaOptions, ema } from './ema.js'
export { type LionOptions, lion } from './lion.js'
export { type MuonOptions, muon } from './muon.js'
export { type MuonWithAdamWOptions, muonWithAdamW } from './muon-with-adamw.js'
export type { Optimizer, OptimizerSlot, ParameterGroup, UpdateContext } from './optimizer.js'
export { type PlateauState, ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.js'
export { type RmspropOptions, rmsprop } from './rmsprop.js'
export {
  type ExponentialOptions,
  type MultiStepOptions,
  type OneCycleOptions,
  type PolynomialOptions,
  type RestartOptions,
  type Schedule,
  type ScheduleName,
  type ScheduleOptions,
  type StepOptions,
  schedules,
} from './schedules.js'
export { type SgdOptions, sgd } from './sgd.js'
export { type TracedRule, traced } from './traced.js'
