import type { Command } from '../command.js'
import { chat } from './chat.js'
import { doctor } from './doctor.js'
import { evaluate } from './eval.js'
import { gui } from './gui.js'
import { hardware } from './hardware.js'
import { keysCreate, keysLs, keysRevoke } from './keys.js'
import { modelsExport } from './models/export.js'
import { modelsImport } from './models/import.js'
import { modelsLs } from './models/ls.js'
import { modelsPresets } from './models/presets.js'
import { modelsPull } from './models/pull.js'
import { modelsQuantize } from './models/quantize.js'
import { modelsShow } from './models/show.js'
import { modulesAdd } from './modules/add.js'
import { modulesCheck } from './modules/check.js'
import { modulesDisable } from './modules/disable.js'
import { modulesEffects } from './modules/effects.js'
import { modulesEnable } from './modules/enable.js'
import { modulesGraph } from './modules/graph.js'
import { modulesInfo } from './modules/info.js'
import { modulesLedger } from './modules/ledger.js'
import { modulesLoad } from './modules/load.js'
import { modulesLs } from './modules/ls.js'
import { modulesNew } from './modules/new.js'
import { modulesReload } from './modules/reload.js'
import { modulesRemove } from './modules/remove.js'
import { modulesSwap } from './modules/swap.js'
import { modulesTimeline } from './modules/timeline.js'
import { modulesUnload } from './modules/unload.js'
import { modulesUpdate } from './modules/update.js'
import { modulesWhy } from './modules/why.js'
import { modulesWhyNot } from './modules/why-not.js'
import { run } from './run.js'
import { serve } from './serve.js'
import { tokenizerDecode } from './tokenizer/decode.js'
import { tokenizerEncode } from './tokenizer/encode.js'
import { tokenizerTrain } from './tokenizer/train.js'
import { train } from './train.js'

/** Commands of two words share their first: what it stands for. */
export const groups: Readonly<Record<string, string>> = {
  tokenizer: 'learn a tokenizer, and use one',
  models: 'sizes, and the models on this machine',
  keys: 'who may ask the server',
  modules: 'what can be switched on and off, and why',
}

/** Every command, in the order of `--help`. */
export const commands: readonly Command[] = [
  chat,
  run,
  serve,
  gui,
  train,
  evaluate,
  tokenizerTrain,
  tokenizerEncode,
  tokenizerDecode,
  modelsLs,
  modelsShow,
  modelsPresets,
  modelsExport,
  modelsImport,
  modelsPull,
  modelsQuantize,
  modulesLs,
  modulesInfo,
  modulesLoad,
  modulesUnload,
  modulesSwap,
  modulesEnable,
  modulesDisable,
  modulesReload,
  modulesNew,
  modulesAdd,
  modulesUpdate,
  modulesRemove,
  modulesGraph,
  modulesWhy,
  modulesWhyNot,
  modulesCheck,
  modulesLedger,
  modulesTimeline,
  modulesEffects,
  keysCreate,
  keysLs,
  keysRevoke,
  hardware,
  doctor,
]
