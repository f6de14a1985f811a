export { SharedArena, type SharedArenaOptions, type SharedTensor } from './arena.js'
export type { UpdateKernel, UpdateSegment } from './updates.js'
export { KernelWorkers, type KernelWorkersOptions, type RandomKinds, type RandomPosition } from './workers.js'
