import { parentPort } from 'node:worker_threads'
import { portChannel } from '../wire/channel.js'
import { Peer } from '../wire/peer.js'
import { Instance, methodsOf } from './abi.js'

// What runs in the thread of a WebAssembly module.

let module: WebAssembly.Module | undefined
let instance: Instance | undefined
let methods: ReadonlyMap<string, string> = new Map()

new Peer(
  portChannel(parentPort!),
  {
    open: ({ id, bytes }) => {
      const compiled = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)
      module = compiled
      methods = methodsOf(String(id), compiled)
      instance = new Instance(compiled)
      return { methods: [...methods.keys()], memory: instance.memory }
    },
    call: ({ name, args }) => {
      const exported = methods.get(String(name))
      if (module === undefined || exported === undefined)
        throw new TypeError(`There is no function '${String(name).slice(0, 100)}'.`)
      instance ??= new Instance(module)
      try {
        const value = instance.call(exported, args as unknown[])
        return { value, memory: instance.memory }
      } catch (error) {
        // What it left in its memory is not to be trusted.
        instance = undefined
        throw error
      }
    },
  },
  () => process.exit(),
)
