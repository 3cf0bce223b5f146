import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// One script and one sheet of styles, for pages that are looked at from disk.
export default defineConfig({
  plugins: [svelte()],
  publicDir: false,
  build: {
    outDir: '../../src/pellucid/export/built',
    emptyOutDir: true,
    lib: { entry: 'src/export.ts', formats: ['iife'], name: 'pellucid', fileName: () => 'page.js', cssFileName: 'page' },
    rolldownOptions: { output: { codeSplitting: false } },
    target: 'es2022',
  },
})
