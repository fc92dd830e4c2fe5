/**
 * How messages cross between extension host and page, after the editor's manner: JSON, in which NaN becomes null and
 * undefined vanishes, with typed arrays beside it.
 */

/** The same two functions for the page, as a script that defines `crossing`. */
export const crossing = `const crossing = (${makeCrossing})();`;

export const { toWire, fromWire } = makeCrossing();

function makeCrossing() {
  const chunk = 0x8000;
  const types: Record<string, new (buffer: ArrayBuffer) => object> = {
    Uint8Array,
    Float32Array,
    Float64Array,
    Int32Array,
  };
  const encode = (bytes: Uint8Array): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += chunk) {
      text += String.fromCharCode(...bytes.subarray(at, at + chunk));
    }
    return btoa(text);
  };
  const decode = (base64: string): ArrayBuffer => {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes.buffer;
  };
  return {
    toWire(message: unknown): string {
      return JSON.stringify(message, (_, value: unknown) => {
        if (!ArrayBuffer.isView(value)) return value;
        const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
        return { $array: value.constructor.name, $data: encode(bytes) };
      });
    },
    fromWire(text: string): unknown {
      return JSON.parse(text, (_, value: { $array?: string; $data?: string } | null) => {
        if (typeof value !== 'object' || value === null || value.$array === undefined) return value;
        const type = types[value.$array];
        if (!type) throw new Error(`the editor would not pass a ${value.$array}`);
        return new type(decode(value.$data ?? ''));
      });
    },
  };
}
