import type { Heartbeat } from './heartbeat.js'
import type { FinishReason } from './text-generation.js'
import type { TrainingReport, TrainingResult } from './training.js'

// Events of the built-in modules, and the interfaces that `getInterface` answers for the capabilities here.

declare module '@enigma/kernel' {
  interface ModuleEvents {
    'model.loaded': { name: string; folder: string; parameters: number; ms: number }
    'model.unloaded': { name: string }
    'training.started': { id: string; out: string; steps?: number }
    'training.report': TrainingReport & { id: string }
    'training.finished': TrainingResult & { id: string }
    'training.failed': { id: string; message: string }
    /** Servers count the prompt's tokens at the end only. */
    'generation.started': { id: string; model: string; promptTokens?: number }
    /** A conversation did not fit: this many messages were left out, and `trimmed` says whether the last one's beginning was, too. */
    'generation.truncated': { id: string; model: string; dropped: number; trimmed: boolean }
    'generation.finished': {
      id: string
      model: string
      tokens: number
      tokensPerSecond: number
      finishReason: FinishReason
    }
    'generation.failed': { id: string; model: string; message: string }
    'heartbeat.beat': Heartbeat
    'garbage.collected': { files: number; bytes: number }
  }
}
