/** What is used of WebAssembly, whose types stand among those of browsers (webassembly.github.io/spec/js-api). */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance<Exports> {
    constructor(module: Module);
    readonly exports: Exports;
  }
}
