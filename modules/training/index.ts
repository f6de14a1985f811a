import { Training } from '@enigma/contracts'
import { defineModule } from '@enigma/kernel'
import { JobList } from './job-list.js'
import type { TrainingModuleConfig, TrainingService } from './types.js'

/** Less than `lifecycle.stopTimeout` in `module.yaml`, in ms. */
const patience = 140_000

/** Provides `model-training`: jobs in processes of their own. Unloading stops them, each with a checkpoint. */
export default defineModule<TrainingModuleConfig, TrainingService>({
  load(ctx) {
    const jobs = new JobList(ctx.config, ctx.events)
    ctx.onDispose(() => jobs.close(patience), 'training jobs')
    ctx.provide(Training, jobs)
    return jobs
  },
})
