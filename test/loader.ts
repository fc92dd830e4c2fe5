/** What `--import` takes to run the sources, wherever the process runs. */
export const sourceLoader = new URL('./sources.mjs', import.meta.url).href;
