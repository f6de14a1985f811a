import type { Example } from './example.js'

/** A service answers calls. */
export const service: Example = {
  part: 'greeter',
  description: 'Greets people by name',
  schema: 'greeting: { type: string, default: Hello, description: What comes before the name }',
  config: 'readonly greeting: string',
  members: 'greeting: string\n  greet(name: string): string',
  body: `  load(ctx) {
    const greeter = new Greeter(ctx.config.greeting)
    ctx.provide({ name: ctx.id, version: '1.0' }, greeter)
    return greeter // what getInterface answers
  },

  onConfig(next, _previous, _ctx, greeter) {
    greeter.greeting = next.greeting
    return 'applied'
  },`,
  javascript: `export class Greeter {
  #greeted = 0

  /** @param {string} greeting */
  constructor(greeting) {
    this.greeting = greeting
  }

  /** @param {string} name */
  greet(name) {
    this.#greeted++
    return \`\${this.greeting}, \${name}!\`
  }

  status() {
    return \`\${this.#greeted} greeted\`
  }
}
`,
  typescript: `export class Greeter {
  #greeted = 0
  greeting: string

  constructor(greeting: string) {
    this.greeting = greeting
  }

  greet(name: string): string {
    this.#greeted++
    return \`\${this.greeting}, \${name}!\`
  }

  status(): string {
    return \`\${this.#greeted} greeted\`
  }
}
`,
  unitTest: `test('a greeter greets by name and counts', () => {
  const greeter = new Greeter('Good day')
  assert.equal(greeter.greet('Ada'), 'Good day, Ada!')
  assert.equal(greeter.status(), '1 greeted')
})
`,
  given: '{}',
  use: `assert.equal(await api.greet('Ada'), 'Hello, Ada!')`,
  status: '1 greeted',
}
