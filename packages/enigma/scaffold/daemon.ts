import type { Example } from './example.js'

/** A daemon works by itself while it is active. */
export const daemon: Example = {
  part: 'heart',
  description: 'Beats while it is active',
  schema: 'interval: { type: integer, minimum: 10, default: 1000, description: Milliseconds from one beat to the next }',
  config: 'readonly interval: number',
  members: 'beat(): string',
  body: `  load(ctx) {
    const heart = new Heart()
    ctx.provide({ name: ctx.id, version: '1.0' }, heart)
    return heart // what getInterface answers
  },

  start(ctx, heart) {
    // Timers and listeners made with ctx end with the module.
    ctx.timers.setInterval(() => ctx.log.debug(heart.beat()), ctx.config.interval)
  },

  health: () => ({ status: 'healthy' }),`,
  javascript: `export class Heart {
  #beats = 0

  beat() {
    this.#beats++
    return this.status()
  }

  status() {
    return \`\${this.#beats} beats\`
  }
}
`,
  typescript: `export class Heart {
  #beats = 0

  beat(): string {
    this.#beats++
    return this.status()
  }

  status(): string {
    return \`\${this.#beats} beats\`
  }
}
`,
  unitTest: `test('a heart counts its beats', () => {
  const heart = new Heart()
  heart.beat()
  assert.equal(heart.beat(), '2 beats')
})
`,
  given: '{ interval: 10 }',
  use: `await new Promise((resolve) => manager.events.on('log', resolve)) // a beat`,
  status: 'beats',
}
