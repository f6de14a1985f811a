import { defineConfig } from 'vite'

// No script or style stands in the page itself, so that the server's content security policy holds.
export default defineConfig({
  build: { outDir: 'dist/web', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  oxc: { jsx: { runtime: 'automatic' } },
})
