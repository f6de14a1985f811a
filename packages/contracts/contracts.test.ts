import { defineModule, ModuleManager } from '@enigma/kernel'
import { expect, expectTypeOf, test } from 'vitest'
import {
  CodeGeneration,
  EventBusService,
  GarbageCollection,
  LanguageModel,
  type LogFields,
  Logging,
  Metrics,
  TextGeneration,
  Tokenization,
  Training,
} from './index.js'

declare module '@enigma/kernel' {
  interface ModuleInterfaces {
    'contracts-test': Tokenization
  }
}

test('each capability has one name and a version', () => {
  const all = [
    TextGeneration,
    CodeGeneration,
    Tokenization,
    LanguageModel,
    Training,
    Logging,
    GarbageCollection,
    Metrics,
    EventBusService,
  ]
  expect(all.map(({ name, version }) => `${name}@${version}`)).toEqual([
    'text-generation@1.0',
    'code-generation@1.0',
    'tokenization@1.0',
    'language-model@1.0',
    'model-training@1.0',
    'logging@1.0',
    'garbage-collection@1.0',
    'metrics@1.0',
    'event-bus@1.0',
  ])
})

test('a token carries its interface to the consumer, an id to getInterface, a name to event handlers', async () => {
  await using manager = await ModuleManager.open({ hardware: { gpus: [] } })
  const bytes: Tokenization = {
    vocabSize: 256,
    encode: (text) => [...Buffer.from(text)],
    decode: (ids) => Buffer.from(ids).toString(),
  }
  manager.register({
    manifest: { id: 'contracts-test', version: '1.0.0', provides: [{ capability: 'tokenization', version: '1.0' }] },
    module: defineModule({
      load(ctx) {
        ctx.provide(Tokenization, bytes)
        return bytes
      },
    }),
  })
  const seen: number[] = []
  manager.register({
    manifest: { id: 'reader', version: '1.0.0', requires: ['tokenization@^1'] },
    module: defineModule({
      load(ctx) {
        const tokens = ctx.use(Tokenization)
        expectTypeOf(tokens).toEqualTypeOf<Tokenization>()
        seen.push(...tokens.encode('hi'))
        ctx.events.on('training.report', (report) => {
          expectTypeOf(report.loss).toEqualTypeOf<number>()
          seen.push(report.loss)
        })
      },
    }),
  })
  await manager.load('reader')
  manager.events.emit('training.report', { id: 'a', step: 1, loss: 7, learningRate: 1e-3, tokensPerSecond: 10 })
  expect(seen).toEqual([104, 105, 7])
  const api = manager.getInterface('contracts-test')
  expectTypeOf(api).toEqualTypeOf<Tokenization>()
  expect(api.decode([104, 105])).toBe('hi')
  expectTypeOf<LogFields>().toExtend<object>()
})
