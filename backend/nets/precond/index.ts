/** Chooses the preconditioning that a configuration names. */
import type { NetworkConfig } from '../config.ts';
import { edmPreconditioning } from './edm.ts';
import { iddpmPreconditioning } from './iddpm.ts';
import type { Preconditioning } from './preconditioning.ts';
import { vePreconditioning } from './ve.ts';
import { vpPreconditioning } from './vp.ts';

export function preconditioningOf(config: NetworkConfig): Preconditioning {
  switch (config.class) {
    case 'EDMPrecond':
      return edmPreconditioning(config);
    case 'VPPrecond':
      return vpPreconditioning(config);
    case 'VEPrecond':
      return vePreconditioning(config);
    case 'iDDPMPrecond':
      return iddpmPreconditioning(config);
  }
}
