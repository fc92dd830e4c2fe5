/**
 * TFRecord framing, the container of TensorBoard's event files: per record
 *   uint64 length | masked CRC-32C of those 8 bytes | the bytes | masked CRC-32C of them      (all little-endian)
 */
import crc32c from 'crc-32/crc32c.js';

const headerBytes = 12;
const footerBytes = 4;
/** The largest that is written are pictures of some megabytes. */
const largestRecord = 2 ** 28;

/** TFRecord stores CRCs rotated and offset, so that a CRC over data that holds CRCs stays meaningful. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One record around `payload`. */
export function encodeRecord(payload: Uint8Array): Uint8Array {
  const record = Buffer.alloc(headerBytes + payload.length + footerBytes);
  record.writeBigUInt64LE(BigInt(payload.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(payload, headerBytes);
  record.writeUInt32LE(maskedCrc(payload), headerBytes + payload.length);
  return record;
}

/** What `decodeRecord` found at a position. */
export type DecodedRecord =
  | { readonly status: 'ok'; readonly payload: Uint8Array; readonly next: number }
  /** The record's end is not there (yet): `need` bytes from its start are wanted. */
  | { readonly status: 'incomplete'; readonly need: number }
  | { readonly status: 'damaged'; readonly why: string };

/** Reads the record at `offset` and checks both CRCs; the payload is a view into `bytes`. */
export function decodeRecord(bytes: Uint8Array, offset: number): DecodedRecord {
  const available = bytes.length - offset;
  if (available < headerBytes) return { status: 'incomplete', need: headerBytes };
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, available);
  if (view.getUint32(8, true) !== maskedCrc(bytes.subarray(offset, offset + 8))) {
    return { status: 'damaged', why: 'the CRC of the record length does not match' };
  }
  const length = Number(view.getBigUint64(0, true));
  if (length > largestRecord) {
    return { status: 'damaged', why: `a record of ${length} bytes, more than the ${largestRecord} that are read` };
  }
  const need = headerBytes + length + footerBytes;
  if (available < need) return { status: 'incomplete', need };
  const payload = bytes.subarray(offset + headerBytes, offset + headerBytes + length);
  if (view.getUint32(headerBytes + length, true) !== maskedCrc(payload)) {
    return { status: 'damaged', why: 'the CRC of the record does not match' };
  }
  return { status: 'ok', payload, next: offset + need };
}
