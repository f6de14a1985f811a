import { command } from '../command.js'
import { type ServeOptions, serveOptions, serveUntilStopped } from '../serving.js'

export const serve = command<ServeOptions>({
  name: 'serve',
  summary: 'answer over HTTP, as OpenAI does',
  options: serveOptions,
  notes: [
    'Ctrl-C lets answers under way end; a second one stops at once. The routes are listed in /openapi.json.',
    '',
    '  enigma serve --port 8080',
    '  curl http://127.0.0.1:4113/v1/models',
    '  enigma keys create laptop && enigma serve --host 0.0.0.0',
  ],
  run: ({ options, out }) => serveUntilStopped(options, out, [], (url, model) => `${model} answers on ${url} (Ctrl-C ends)`),
})
