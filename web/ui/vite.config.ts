import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// Relative addresses, because the page lives below a token; no inlined files, because its policy forbids them.
export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    outDir: '../../src/pellucid/web/static',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: { proxy: { '/api': process.env.PELLUCID ?? 'http://127.0.0.1:7811' } },
})
