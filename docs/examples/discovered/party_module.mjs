export class PartyModule {
  static INFO = { id: 'party', name: 'Party', requires: ['greeting'] }

  load() {
    this.greeting = this.manager.getInterface('greeting')
    return true
  }

  getInterface() {
    return { invite: (names) => names.map((name) => this.greeting.greet(name)) }
  }
}
