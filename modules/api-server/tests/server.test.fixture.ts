import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModuleConfig, ModuleManager } from '@enigma/kernel'
import { createConfig, LlamaForCausalLM, type ModelContent, saveModel, trainBpe } from '@enigma/lm'
import type { ErrorBody } from '../http/api-error.js'
import { readRunFile } from '../run-file.js'
import type { ApiServer } from '../types.js'

const modules = join(import.meta.dirname, '../../..')
const text = 'Once upon a time there was a hare. The hare said to the tortoise: hello! And they ran. '.repeat(20)

/** A home folder of its own for this process, with a model 'owl' of random weights in it. */
export async function temporaryHome(): Promise<AsyncDisposable & { readonly path: string; readonly model: string }> {
  const path = await mkdtemp(join(tmpdir(), 'enigma-server-'))
  process.env.ENIGMA_HOME = path
  const model = join(path, 'owl')
  const { tokenizer } = await trainBpe({ texts: [text], vocabSize: 320 })
  const eosIds = [tokenizer.tokenToId('<|im_end|>') ?? 0]
  const config = createConfig({ vocabSize: tokenizer.vocabSize, dim: 32, layers: 2, heads: 2, context: 1024, eosIds })
  const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as ModelContent['tensors']
  await saveModel(model, { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()) })
  return { path, model, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** What a refusal says. */
export const errorOf = async (answer: Response): Promise<ErrorBody['error']> => ((await answer.json()) as ErrorBody).error

export interface TestServer extends AsyncDisposable {
  readonly manager: ModuleManager
  readonly api: ApiServer
  readonly url: string
  /** Of the run file. */
  readonly token: string
  fetch(path: string, init?: RequestInit & { readonly json?: unknown; readonly as?: string }): Promise<Response>
}

/** A server on a free port, with what else is loaded. @param model folder; without one nothing generates */
export async function startServer(model?: string, config: ModuleConfig = {}): Promise<TestServer> {
  const manager = await ModuleManager.open({ modules: [modules], hardware: { gpus: [] } })
  if (model !== undefined) {
    await manager.load('model', { model })
    await manager.load('inference', { threads: 1 })
  }
  await manager.load('api-server', { port: 0, drainSeconds: 5, ...config })
  const api = manager.getInterface<ApiServer>('api-server')
  api.attach(manager)
  const { url } = api
  const { token } = (await readRunFile())!
  return {
    manager,
    api,
    url,
    token,
    fetch(path, { json, as, ...init } = {}) {
      const headers = new Headers(init.headers)
      if (json !== undefined) headers.set('content-type', 'application/json')
      if (as !== undefined) headers.set('authorization', `Bearer ${as}`)
      const body = json === undefined ? init.body : JSON.stringify(json)
      return fetch(url + path, {
        method: json === undefined ? 'GET' : 'POST',
        ...init,
        headers,
        ...(body != null && { body }),
      })
    },
    [Symbol.asyncDispose]: () => manager.shutdown(),
  }
}
