/** The requests `readMemory` and `writeMemory`: a tensor's numbers as bytes, float32, little-endian, row-major, from 0 on. */
import { z } from '../protocol/config/zod.ts';
import { debugRequests, mostReadBytes, mostWriteBytes } from '../protocol/debug-requests.ts';
import { AdapterError } from './errors.ts';
import { tensorOfMemory } from './memory-reference.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

/** What one answer holds at most; an editor that wants more asks again. */
const mostAnswered = 16 * mostReadBytes;

export function memoryHandlers(target: Target): Handlers {
  return {
    ...checked(
      'readMemory',
      z.object({ memoryReference: z.string(), offset: z.int().default(0), count: z.int().min(0) }),
      async ({ memoryReference, offset, count }, { signal }) => {
        const tensor = tensorAt(target, memoryReference);
        const address = `0x${Math.max(0, offset).toString(16)}`;
        if (offset < 0) return { address, unreadableBytes: count };
        const data = await target.client.progress.during(`Reading ${tensor}`, signal, (both) =>
          read(target, tensor, offset, Math.min(count, mostAnswered), both),
        );
        const unreadableBytes = count - data.length;
        return { address, data: data.toString('base64'), ...(unreadableBytes > 0 ? { unreadableBytes } : {}) };
      },
    ),
    ...checked(
      'writeMemory',
      z.object({
        memoryReference: z.string(),
        offset: z.int().min(0).default(0),
        allowPartial: z.boolean().default(false),
        data: z.base64(),
      }),
      async ({ memoryReference, offset, allowPartial, data }, { signal }) => {
        const tensor = tensorAt(target, memoryReference);
        const bytes = Buffer.from(data, 'base64');
        const size = await sizeOf(target, tensor, signal);
        const fitting = Math.max(0, Math.min(bytes.length, size - offset));
        if (fitting < bytes.length && !allowPartial) {
          throw new AdapterError('pastTheEnd', { tensor, size: `${size}`, end: `${offset + bytes.length}` });
        }
        const bytesWritten = await write(target, tensor, offset, bytes.subarray(0, fitting), signal);
        target.changed({ memoryReference, offset, count: bytesWritten });
        return { bytesWritten };
      },
    ),
  };
}

function tensorAt(target: Target, reference: string): string {
  const tensor = tensorOfMemory(reference, target.stop.stop);
  if (tensor === undefined) throw new AdapterError('badMemory', { reference });
  return tensor;
}

async function read(target: Target, tensor: string, offset: number, count: number, signal: AbortSignal) {
  const parts: Uint8Array[] = [];
  for (let at = offset; at < offset + count; ) {
    const wanted = Math.min(mostReadBytes, offset + count - at);
    const asked = { tensor, offset: at, count: wanted };
    const { bytes } = await target.debuggee.ask(debugRequests['debug/read'], asked, signal);
    parts.push(bytes);
    at += bytes.length;
    if (bytes.length < wanted) break;
  }
  return Buffer.concat(parts);
}

async function sizeOf(target: Target, tensor: string, signal: AbortSignal): Promise<number> {
  const asked = { tensor, offset: 0, count: 0 };
  return (await target.debuggee.ask(debugRequests['debug/read'], asked, signal)).size;
}

/** Not broken off half-way: what is sent is written. */
async function write(target: Target, tensor: string, offset: number, all: Uint8Array, signal: AbortSignal) {
  signal.throwIfAborted();
  let done = 0;
  while (done < all.length) {
    const bytes = Uint8Array.from(all.subarray(done, done + mostWriteBytes));
    const asked = { tensor, offset: offset + done, bytes };
    done += (await target.debuggee.ask(debugRequests['debug/write'], asked)).written;
  }
  return done;
}
