import type { Example } from './example.js'

/** A plugin adds to what is there. */
export const plugin: Example = {
  part: 'listener',
  description: 'Counts the events of the other modules',
  schema: 'pattern: { type: string, default: module.*, description: Names of the events to count }',
  config: 'readonly pattern: string',
  members: 'hear(): void',
  body: `  load(ctx) {
    const listener = new Listener()
    ctx.provide({ name: ctx.id, version: '1.0' }, listener)
    return listener // what getInterface answers
  },

  start(ctx, listener) {
    // Listeners and timers made with ctx end with the module.
    ctx.events.on(ctx.config.pattern, () => listener.hear())
  },`,
  javascript: `export class Listener {
  #heard = 0

  hear() {
    this.#heard++
  }

  status() {
    return \`\${this.#heard} heard\`
  }
}
`,
  typescript: `export class Listener {
  #heard = 0

  hear(): void {
    this.#heard++
  }

  status(): string {
    return \`\${this.#heard} heard\`
  }
}
`,
  unitTest: `test('a listener counts what it hears', () => {
  const listener = new Listener()
  listener.hear()
  assert.equal(listener.status(), '1 heard')
})
`,
  given: "{ pattern: 'hello.*' }",
  use: `manager.events.emit('hello.world', {})`,
  status: '1 heard',
}
