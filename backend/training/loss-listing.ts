/** A training on one loss, as loss-procedure.ts runs it, with a config's values: the listing that a debugger shows. */
import type { TeachConfig } from '../protocol/config/index.ts';

interface ListingLine {
  readonly text: string;
  readonly stage: string | null;
}

/** What of a teaching's config the listing names, whatever it teaches. */
type Taught = Pick<TeachConfig, 'iterations' | 'batch' | 'accumulation' | 'optimizer'>;

export function lossListing({ iterations, batch, accumulation, optimizer }: Taught): ListingLine[] {
  const { lr, weightDecay, clip } = optimizer;
  return [
    { stage: null, text: `for step in 1..${iterations}:` },
    { stage: null, text: `  for micro in 1..${accumulation}:` },
    { stage: 'draw', text: `    batch = draw(${batch})` },
    { stage: 'loss', text: '    loss = loss of the network on the batch' },
    { stage: 'backward', text: '    gradient += d loss / d network' },
    {
      stage: 'update',
      text: `  network = AdamW(network, gradient), lr ${lr}, weight decay ${weightDecay}, clip ${clip}`,
    },
    { stage: 'commit', text: '  commit network' },
  ];
}
