import { Logging } from '@enigma/contracts'
import { defineModule, type LogRecord } from '@enigma/kernel'
import { Logger } from './logger.js'
import type { LoggerConfig } from './types.js'

export type { Level, LoggerConfig, LoggerService, LoggerStatus } from './types.js'

/** Takes what all modules write to `ctx.log`, from before its own load too. */
export default defineModule<LoggerConfig, Logger>({
  load(ctx) {
    const logger = new Logger(ctx.config)
    ctx.onDispose(() => logger.close(), 'log file')
    const write = ({ module, level, message, fields }: LogRecord) => logger.write(level, message, { module, ...fields })
    // The bus remembers what was logged while no logger was there; what an earlier life of this module wrote is left out.
    const past = ctx.events.recent()
    const from = past.findLastIndex(
      ({ name, payload }) => name === 'module.unloaded' && (payload as { id: string }).id === ctx.id,
    )
    for (const { name, payload } of past.slice(from + 1)) if (name === 'log') write(payload as LogRecord)
    ctx.events.on('log', write)
    ctx.events.on('module.error', ({ id, code, message }) => logger.write('error', message, { module: id, code }))
    ctx.events.on('bus.error', ({ event, module, message, suspended }) => {
      logger.write('error', `a handler of '${event}' failed: ${message}`, { module: module ?? 'kernel', suspended })
    })
    ctx.provide(Logging, logger)
    return logger
  },

  health(_, logger) {
    const { problem } = logger.status()
    return problem === undefined ? { status: 'healthy' } : { status: 'degraded', message: problem }
  },

  onConfig(next, previous, _, logger) {
    const { level: _next, ...rest } = next
    const { level: _previous, ...before } = previous
    if (JSON.stringify(rest) !== JSON.stringify(before)) return 'restart'
    logger.setLevel(next.level)
    return 'applied'
  },
})
