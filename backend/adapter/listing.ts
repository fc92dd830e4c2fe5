/** The algorithm's listing as a source of the debug protocol: lines from 1 on, each with its stage. */
import path from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Listing } from '../protocol/debug-requests.ts';
import { listingUri, sameListing } from '../protocol/listing-uri.ts';
import type { Client } from './request.ts';

export class AlgorithmSource {
  readonly uri: string;
  readonly lines: Listing;

  /** @param config the file whose address the listing has */
  constructor(config: string, lines: Listing) {
    this.uri = listingUri(config);
    this.lines = lines;
  }

  get name(): string {
    return path.posix.basename(decodeURIComponent(this.uri));
  }

  get text(): string {
    return this.lines.map(({ text }) => `${text}\n`).join('');
  }

  /** For editors that cannot open an address of ours: they ask for the text by this number. */
  readonly reference = 1;

  /** An editor that knows the address keeps breakpoints there; to others the number says more. */
  asSource(client: Client): DebugProtocol.Source {
    const opens = client.name().startsWith('vscode');
    return { name: this.name, path: this.uri, sourceReference: opens ? 0 : this.reference };
  }

  /** Whether an editor's source is this one. */
  is({ path, sourceReference }: { readonly path?: string | undefined; readonly sourceReference?: number | undefined }) {
    return path === undefined ? sourceReference === this.reference : sameListing(path, this.uri);
  }

  /** The line of a stage; the first where there is none: before the first stage, or one that has no line. */
  lineOf(stage: string | null): number {
    const line = this.lines.findIndex((one) => one.stage !== null && one.stage === stage);
    return line + 1 || 1;
  }

  /** The first line from this one on that has a stage; undefined behind the last. */
  stageFrom(line: number): { readonly line: number; readonly stage: string } | undefined {
    const found = this.lines.findIndex(({ stage }, i) => i >= line - 1 && stage !== null);
    return found < 0 ? undefined : { line: found + 1, stage: this.lines[found]!.stage! };
  }
}
