/** What a training run tells those who watch it. Numbers of an epoch are means over its examples. */
export interface TrainingCallback {
  onTrainStart?(run: TrainStartInfo): void | Promise<void>
  onEpochStart?(epoch: EpochInfo): void | Promise<void>
  /** After each update. */
  onStep?(step: StepInfo): void | Promise<void>
  /** After the epoch's validation, if there is one. */
  onEpochEnd?(epoch: EpochResult): void | Promise<void>
  onTrainEnd?(history: History): void | Promise<void>
}

export interface TrainStartInfo {
  readonly parameters: number
  readonly epochs: number
  readonly stepsPerEpoch: number
  /** Updates made by an earlier part of the run. */
  readonly step: number
  readonly resumed: boolean
}

export interface EpochInfo {
  /** From 0. */
  readonly epoch: number
  readonly epochs: number
}

export interface StepInfo extends EpochInfo {
  /** Updates made so far, this one included. */
  readonly step: number
  /** Updates of the whole run, if no epoch ends it early. */
  readonly steps: number
  readonly loss: number
  readonly gradNorm: number
  readonly learningRate: number
  readonly metrics: Readonly<Record<string, number>>
  readonly examplesPerSecond: number
  /** Until the last epoch's end, at the speed so far; validation not included. */
  readonly etaSeconds: number
  /** Ends the run after this update. */
  stop(): void
}

export interface EpochResult extends EpochInfo {
  readonly step: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  /** Of the validation data, with the network in evaluation. */
  readonly valid?: { readonly loss: number; readonly metrics: Readonly<Record<string, number>> }
  readonly learningRate: number
  readonly seconds: number
  /** Ends the run after this epoch. */
  stop(): void
}

/** An epoch as it is kept: in the result of `fit` and in checkpoints. */
export type EpochRecord = Omit<EpochResult, 'stop' | 'epochs'>

export interface History {
  readonly epochs: readonly EpochRecord[]
  /** Why the run ended. */
  readonly ended: 'finished' | 'stopped' | 'early' | 'aborted'
  /** The epoch whose weights the network has. */
  readonly epoch: number
}

/** Calls one kind of callback of all, in order, each awaited. */
export async function tell<K extends keyof TrainingCallback>(
  callbacks: readonly TrainingCallback[],
  kind: K,
  argument: Parameters<NonNullable<TrainingCallback[K]>>[0],
): Promise<void> {
  for (const callback of callbacks)
    await (callback[kind] as ((this: TrainingCallback, value: typeof argument) => void | Promise<void>) | undefined)?.call(
      callback,
      argument,
    )
}
