import { defineModule } from '@enigma/kernel'
import { Heartbeat } from './heartbeat.js'
import type { HeartbeatConfig } from './types.js'

export type { HeartbeatConfig, HeartbeatService, Metric } from './types.js'

/** Tells how the system is, again and again, in a file that any other process can read. */
export default defineModule<HeartbeatConfig, Heartbeat>({
  load: (ctx) => new Heartbeat(ctx, ctx.config),

  async start(ctx, heartbeat) {
    if (ctx.config.autoStart) await heartbeat.start()
  },

  stop: (_, heartbeat) => heartbeat.stop(),

  health: (_, heartbeat) => heartbeat.health(),

  onConfig(next, _previous, _ctx, heartbeat) {
    heartbeat.configure(next)
    return 'applied'
  },
})
