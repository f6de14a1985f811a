export { SharedArena, type SharedArenaOptions, type SharedTensor } from './arena.js'
export {
  type AdamWOptions,
  type AdamWSegment,
  KernelWorkers,
  type KernelWorkersOptions,
  type RandomKinds,
  type RandomPosition,
} from './workers.js'
