import type { LanguageModelService, Logging } from '@enigma/contracts'
import type { ApiServer } from '@enigma/module-api-server/types'
import type { ChatApi } from '@enigma/module-chat-api/types'
import type { CodeGenApi } from '@enigma/module-code-gen-api/types'
import type { CodeGenLocal } from '@enigma/module-code-gen-local/types'
import type { EventBusInterface } from '@enigma/module-event-bus/types'
import type { GarbageCollectorService } from '@enigma/module-garbage-collector/types'
import type { GgufLoader } from '@enigma/module-gguf-loader/types'
import type { Gui } from '@enigma/module-gui/types'
import type { HeartbeatService } from '@enigma/module-heartbeat/types'
import type { Inference } from '@enigma/module-inference/types'
import type { MetricsService } from '@enigma/module-metrics-collector/types'
import type { TokenizerService } from '@enigma/module-tokenizer/types'
import type { TrainingService } from '@enigma/module-training/types'

// What `getInterface` answers for the built-in modules.

declare module '@enigma/kernel' {
  interface ModuleInterfaces {
    'api-server': ApiServer
    'chat-api': ChatApi
    'code-gen-api': CodeGenApi
    'code-gen-local': CodeGenLocal
    'event-bus': EventBusInterface
    'garbage-collector': GarbageCollectorService
    'gguf-loader': GgufLoader
    gui: Gui
    heartbeat: HeartbeatService
    inference: Inference
    logger: Logging
    'metrics-collector': MetricsService
    model: LanguageModelService
    tokenizer: TokenizerService
    training: TrainingService
  }
}
