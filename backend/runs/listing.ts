/** The algorithm that a config asks for, as a listing with its values: what a debugger shows as the source of a run. */
import { methodOf } from '../methods/index.ts';
import type { Config } from '../protocol/config/index.ts';
import type { Listing } from '../protocol/debug-requests.ts';
import { lossListing } from '../training/loss-listing.ts';

/** A function of the config alone. Throws UserError('config') for a method that is not known. */
export function listingOf(config: Config): Listing {
  return config.kind === 'distill' ? [...methodOf(config).listing(config)] : lossListing(config);
}
