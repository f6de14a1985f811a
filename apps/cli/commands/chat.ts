import { command } from '../command.js'
import { type GenerationFlags, generateOptions, generationOptions } from '../generation-options.js'
import { Interrupt } from '../interrupt.js'
import { loadGeneration, openManager } from '../session.js'

export const chat = command<GenerationFlags>({
  name: 'chat',
  summary: 'talk to a model',
  arguments: [{ name: '[model]', text: 'name or folder of a model, or a GGUF file (default: the one that ships)' }],
  options: generationOptions,
  notes: [
    'In the chat: /help, /clear, /system, /stats. Ctrl-C stops an answer, a second one leaves; so do quit, exit, q and Ctrl-D.',
    'When stdin is not a terminal, each of its lines is answered; with --json, as an object a line.',
  ],
  async run({ options, args, out }) {
    const model = args[0] ?? options.model
    await using manager = await openManager(out)
    const { engine, module } = await loadGeneration(manager, { ...options, ...(model !== undefined && { model }) })
    manager.events.on('generation.truncated', (event) => {
      const { dropped, trimmed } = event as { dropped: number; trimmed: boolean }
      if (dropped > 0)
        out.note(out.color.dim(`(the oldest ${dropped} messages no longer fit the model's context and were left out)`))
      if (trimmed) out.note(out.color.dim("(the message is longer than the model's context; its beginning was left out)"))
    })
    const { Conversation } = await import('../chat/conversation.js')
    const conversation = new Conversation(engine, generateOptions(options))
    if (!process.stdin.isTTY || !process.stdout.isTTY || out.json) {
      using interrupt = new Interrupt()
      const { chatPiped } = await import('../chat/piped.js')
      await chatPiped(conversation, out, interrupt.signal)
      return interrupt.exitCode
    }
    const { welcome, welcomeElsewhere } = await import('../chat/welcome.js')
    const own = module === 'inference'
    out.text(own ? welcome(manager.getInterface('model'), out) : welcomeElsewhere(engine.model, module, out))
    const { chatAtTerminal } = await import('../chat/terminal.js')
    await chatAtTerminal(conversation, out)
    return 0
  },
})
