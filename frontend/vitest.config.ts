import { defineConfig, mergeConfig } from 'vitest/config';
import vite from './vite.config';

/** As the page is built; the tokens are read as text by what draws pictures, and not left empty as styles are. */
export default mergeConfig(vite, defineConfig({ test: { css: { include: [/tokens\.css/] } } }));
