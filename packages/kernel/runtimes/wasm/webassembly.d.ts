// What we use of the WebAssembly JavaScript API (W3C, 2.0): TypeScript has it among the browser's types only.

declare namespace WebAssembly {
  interface ModuleImportDescriptor {
    readonly module: string
    readonly name: string
    readonly kind: string
  }
  interface ModuleExportDescriptor {
    readonly name: string
    readonly kind: string
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    static imports(module: Module): ModuleImportDescriptor[]
    static exports(module: Module): ModuleExportDescriptor[]
  }
  class Memory {
    private constructor()
    readonly buffer: ArrayBuffer
  }
  type Exports = Readonly<Record<string, unknown>>
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    readonly exports: Exports
  }
  function validate(bytes: Uint8Array): boolean
}
