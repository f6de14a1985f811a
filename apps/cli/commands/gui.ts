import { command } from '../command.js'
import { type ServeOptions, serveOptions, serveUntilStopped } from '../serving.js'

export const gui = command<ServeOptions>({
  name: 'gui',
  summary: 'serve, with the web console',
  options: serveOptions,
  notes: ['Open the address it prints in a browser on this machine.', '', '  enigma gui --port 8080'],
  run: ({ options, out }) =>
    serveUntilStopped(options, out, ['gui'], (url, model) => `${url}\nThe console, with ${model} to talk to. Ctrl-C ends.`),
})
