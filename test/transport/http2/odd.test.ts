import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { createHostFacts } from '../../../src/host-facts/host-facts.ts';
import { get, open } from '../open.ts';
import { block, data, endHeaders, endStream, frame, head, hello, setting, types, uint32 } from './frames.ts';
import { type RawAnswer, startRawHttp2, trusted } from './raw-http2.ts';

const send =
  (...parts: ((stream: number) => Buffer)[]): RawAnswer =>
  (socket, stream) =>
    socket.write(Buffer.concat(parts.map((part) => part(stream))));

const reset =
  (code: number) =>
  (stream: number): Buffer =>
    frame(types.reset, 0, stream, uint32(code));

const goAway = (code: number, last: number) => (): Buffer => frame(types.goAway, 0, 0, uint32(last, code));

const withFields =
  (...fields: (readonly [string, string])[]) =>
  (stream: number): Buffer =>
    Buffer.concat([head(stream, ...fields), data(stream, 'hello')]);

const flood =
  (bytes: Buffer, times = 20_000): RawAnswer =>
  (socket) =>
    socket.write(Buffer.concat(Array(times).fill(bytes)));

/** What a server does with each request. */
const odd: Readonly<Record<string, RawAnswer>> = {
  'HTTP/1.1': (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong'),
  'the end of the connection': (socket) => socket.end(),
  'a cut connection': (socket) => socket.destroy(),
  'GOAWAY without an error, before the stream': send(goAway(0, 0)),
  'GOAWAY with an error': send(goAway(2, 0)),
  'GOAWAY that asks for calm, and names the stream': send(goAway(11, 1)),
  'a reset stream: no error': send(reset(0)),
  'a reset stream: an internal error': send(reset(2)),
  'a reset stream: refused': send(reset(7)),
  'a reset stream: HTTP/1.1 required': send(reset(13)),
  'a reset stream: calm': send(reset(11)),
  'a body without a length': send(withFields()),
  'a body that is shorter than its length': send(withFields(['content-length', '9'])),
  'a body that is longer than its length': send(withFields(['content-length', '3'])),
  'two lengths': send(withFields(['content-length', '5'], ['content-length', '6'])),
  'a negative length': send(withFields(['content-length', '-5'])),
  'a list of lengths': send(withFields(['content-length', '5, 5'])),
  'a body that is reset without an error': send(
    (stream) => head(stream, ['content-length', '9']),
    (stream) => data(stream, 'hello', 0),
    reset(0),
  ),
  'a body that is reset': send((stream) => head(stream, ['content-length', '9']), reset(2)),
  'a body before its head': send((stream) => data(stream, 'hello')),
  'a body beyond the window': (socket, stream) =>
    socket.write(
      Buffer.concat([
        head(stream, ['content-length', '2097152']),
        ...Array<Buffer>(128).fill(frame(types.data, 0, stream, Buffer.alloc(16_384))),
      ]),
    ),
  'a frame that is too large': (socket, stream) => socket.write(frame(types.data, 0, stream, Buffer.alloc(100_000))),
  'a head without a status': send((stream) => frame(types.headers, endHeaders | endStream, stream, block(['a', 'b']))),
  'a status that is none': send((stream) =>
    frame(types.headers, endHeaders | endStream, stream, block([':status', 'x'])),
  ),
  'a switch of protocols': send((stream) => frame(types.headers, endHeaders, stream, block([':status', '101']))),
  'a name in capitals': send(withFields(['A', 'b'], ['content-length', '5'])),
  'a field of a connection': send(withFields(['transfer-encoding', 'chunked'], ['content-length', '5'])),
  'a head that refers to nothing': send((stream) =>
    frame(types.headers, endHeaders, stream, Buffer.from([0xff, 0x7f])),
  ),
  'a head of 100 kB': (socket, stream) => socket.write(longHead(stream, 7)),
  'a head without end': (socket, stream) => socket.write(longHead(stream, 1000)),
  'a flood of small fields': send((stream) =>
    frame(types.headers, endHeaders, stream, block([':status', '200'], ...Array(900).fill(['a', 'b']))),
  ),
  'an answer to nothing': send(() => hello(77)),
  'a push': send((stream) => frame(types.push, endHeaders, stream, Buffer.concat([uint32(2), block([':path', '/'])]))),
  'a flood of pings': flood(frame(types.ping, 0, 0, Buffer.alloc(8))),
  'a flood of settings': flood(frame(types.settings, 0, 0, setting(3, 100))),
  'a flood of windows': flood(frame(types.window, 0, 0, uint32(0x7fff_ffff))),
  'a flood of unknown frames, and silence': flood(frame(200, 0, 0)),
  'a flood of empty pieces': (socket, stream) => {
    socket.write(head(stream, ['content-length', '5']));
    flood(frame(types.data, 0, stream))(socket, stream);
  },
  silence: () => {},
  'silence after the head': send((stream) => head(stream, ['content-length', '5'])),
};

const greetings: Readonly<Record<string, (socket: TLSSocket) => unknown>> = {
  'closes at once': (socket) => socket.end(),
  'says nothing': () => {},
  'says GOAWAY first': (socket) => socket.write(Buffer.concat([frame(types.settings, 0, 0), goAway(0, 0)()])),
  'allows no streams': (socket) => socket.write(frame(types.settings, 0, 0, setting(3, 0))),
  'has a window that no one can have': (socket) => socket.write(frame(types.settings, 0, 0, setting(4, 0xffff_ffff))),
  'speaks HTTP/1.1': (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
};

const limits = { headersTimeoutMs: 300, idleTimeoutMs: 300 };

describe('a server that has chosen HTTP/2', () => {
  for (const [what, answer] of Object.entries(odd)) {
    it(`and answers with ${what} is asked again by HTTP/1.1`, async (t) => {
      const server = await startRawHttp2(t, answer);
      const transport = open(t, server.url, { tls: trusted, limits });
      transport.expectMany();
      const ask = async (): Promise<string> => {
        const { body } = await get(transport, 'x', { wholeBytes: 4_000_000 });
        return Buffer.from(await body.bytes(4_000_000)).toString();
      };
      assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['hello', 'hello', 'hello']);
      assert.equal(await ask(), 'hello');
      // More where a slow machine takes an answer for silence.
      assert.ok(server.plain.length >= 4, `${server.plain.length}`);
      assert.equal(server.chosen, 1);
    });
  }

  for (const [what, greet] of Object.entries(greetings)) {
    it(`and ${what} is asked again by HTTP/1.1, also in later runs`, async (t) => {
      const server = await startRawHttp2(t, () => {}, greet);
      const hostFacts = createHostFacts();
      const base = new URL(server.url);
      hostFacts.of(base).learn({ http2: true });
      const transport = open(t, server.url, { tls: trusted, limits, hostFacts });
      transport.open(2);
      const { body } = await get(transport, 'x', { wholeBytes: 100 });
      assert.equal(Buffer.from(await body.bytes(100)).toString(), 'hello');
      assert.equal(hostFacts.of(base).known.http2, false);
    });
  }
});

/** A head in pieces of 16 kB. @param frames How many; the last one ends it, unless they are too many for anybody. */
function longHead(stream: number, frames: number): Buffer {
  const fields = (i: number): Buffer => block(['x'.repeat(10), String(i).repeat(100)]);
  const piece = Buffer.concat(Array.from({ length: 130 }, (_, i) => fields(i)));
  return Buffer.concat([
    frame(types.headers, 0, stream, block([':status', '200'], ['content-length', '5'])),
    ...Array.from({ length: frames }, (_, i) =>
      frame(types.continuation, i === frames - 1 && frames < 100 ? endHeaders : 0, stream, piece),
    ),
    data(stream, 'hello'),
  ]);
}
