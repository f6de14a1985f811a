export class UptimeModule {
  name = 'uptime'
  type = 'service'
  version = '1.0.0'

  configure({ unit }) {
    this.unit = unit
  }

  async initialize() {
    this.began = Date.now()
  }

  getService() {
    return { unit: this.unit, passed: () => (Date.now() - this.began) / (this.unit === 'ms' ? 1 : 1000) }
  }
}
