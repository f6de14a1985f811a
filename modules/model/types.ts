/** Config of the module `model`; checked against the schema in `module.yaml`. */
export interface ModelModuleConfig {
  /** Name of a model under one of the model roots, or its folder. */
  readonly model?: string
  /** Preset: takes the newest trained model of it. */
  readonly size?: string
  /** Round the weights while they are read. */
  readonly quantization?: 'int8' | 'int4'
  /** Compare the files with the hashes in `enigma.json`. */
  readonly verify: boolean
}
