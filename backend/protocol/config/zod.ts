/** zod without generated code: schemas are also checked where `new Function` is forbidden (webviews, hardened Node). */
import { z } from 'zod';

z.config({ jitless: true });

export { z };
