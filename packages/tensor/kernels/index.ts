export { SharedArena, type SharedArenaOptions, type SharedTensor } from './arena.js'
export type { RandomKinds, RandomPosition } from './random.js'
export type { UpdateKernel, UpdateSegment } from './updates.js'
export { KernelWorkers, type KernelWorkersOptions } from './workers.js'
