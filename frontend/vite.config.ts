import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/static/',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 700,
    // Fonts stay files: the page's content security policy lets no data: fonts in.
    assetsInlineLimit: 0,
    rolldownOptions: {
      // The admin and the login page, which Django renders, link the tokens by a name that stays.
      input: { index: 'index.html', tokens: 'src/tokens.css' },
      output: {
        assetFileNames: ({ names }) => (names.includes('tokens.css') ? 'tokens.css' : 'assets/[name]-[hash][extname]'),
      },
    },
  },
});
