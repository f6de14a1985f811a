export class GreetingModule {
  static INFO = { id: 'greeting', name: 'Greeting', provides: ['greeting'] }

  getInterface() {
    return { greet: (name) => `Hello, ${name}!` }
  }
}
