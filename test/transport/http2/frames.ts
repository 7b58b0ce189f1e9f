/** HTTP/2 as bytes, for what no library sends. @see https://www.rfc-editor.org/rfc/rfc9113#section-4 */

export const types = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
};
export const endStream = 1;
export const endHeaders = 4;

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A setting of 6 bytes. @see https://www.rfc-editor.org/rfc/rfc9113#section-6.5.1 */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

export function uint32(...values: number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
}

/** Fields without compression. @see https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2 */
export function block(...fields: (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([length(value.length), Buffer.from(value, 'latin1')]);
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** @see https://www.rfc-editor.org/rfc/rfc7541#section-5.1 */
function length(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

export const head = (stream: number, ...fields: (readonly [string, string])[]): Buffer =>
  frame(types.headers, endHeaders, stream, block([':status', '200'], ...fields));

export const data = (stream: number, text: string, flags = endStream): Buffer =>
  frame(types.data, flags, stream, Buffer.from(text));

export const hello = (stream: number): Buffer =>
  Buffer.concat([head(stream, ['content-length', '5']), data(stream, 'hello')]);
