/** `dmd debug-adapter`: the debugger as editors speak to it. */
import type { Command } from 'commander';

export function registerDebugAdapter(program: Command): void {
  program
    .command('debug-adapter')
    .description('speak the Debug Adapter Protocol over standard input and output, for editors')
    .action(async () => (await import('../../adapter/adapter.ts')).serveStandardStreams());
}
