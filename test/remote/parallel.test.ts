import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { OciError } from '../../src/model/errors.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import type { Span } from '../../src/remote/blob-span.ts';
import { ParallelBody } from '../../src/remote/parallel/parallel-body.ts';
import type { ByteSink, HttpBody } from '../../src/transport/http.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { openRemote } from '../support/remotes.ts';
import { repo } from './fake-registry.ts';

const mib = 1024 * 1024;
const size = 40 * mib;
const blob = Buffer.alloc(size);
for (let at = 0; at < size; at += 64) blob.writeUInt32LE(at, at);

/** A body that comes in pieces of 1 MiB. @param before Called before each piece. */
function bodyOf({ start, end }: Span, before: () => unknown = () => {}): HttpBody & { cancelled: boolean } {
  const body = {
    cancelled: false,
    async drainTo(sink: ByteSink) {
      for (let at = start; at < end; at += mib) {
        await before();
        await sink.write(blob.subarray(at, Math.min(end, at + mib)));
      }
    },
    cancel: async () => {
      body.cancelled = true;
    },
    discard: async () => {},
    bytes: async () => blob.subarray(start, end),
    async *[Symbol.asyncIterator]() {
      yield blob.subarray(start, end);
    },
  };
  return body;
}

interface Setting {
  /** How long a piece of the first body takes. */
  readonly pieceMs: number;
  readonly openPart?: (span: Span, signal: AbortSignal) => Promise<HttpBody>;
  readonly verdict?: { pays?: boolean };
}

/** A blob that is read alone at a rate, by a clock that goes only with its pieces. */
function setUp({ pieceMs, openPart, verdict = {} }: Setting) {
  const parts: Span[] = [];
  const rests: number[] = [];
  const arrived: Buffer[] = [];
  let ms = 0;
  const whole = { start: 0, end: size };
  const slow = (): void => {
    ms += pieceMs;
  };
  const first = bodyOf(whole, slow);
  const body = new ParallelBody({
    body: first,
    span: whole,
    async openPart(span, signal) {
      parts.push(span);
      return openPart ? openPart(span, signal) : bodyOf(span);
    },
    async openRest(start) {
      rests.push(start);
      return bodyOf({ start, end: size }, slow);
    },
    verdict,
    now: () => ms,
  });
  const sink: ByteSink = {
    write: async (chunk) => {
      arrived.push(Buffer.from(chunk));
    },
  };
  return {
    body,
    first,
    sink,
    parts,
    rests,
    position: () => arrived.reduce((sum, { length }) => sum + length, 0),
    isWhole: () => Buffer.concat(arrived).equals(blob),
  };
}

describe('a large blob over several connections', () => {
  it('is read over one as long as that is fast, or the rest is small', async () => {
    for (const pieceMs of [20, 2, 1000 / 30]) {
      const { body, sink, parts, isWhole } = setUp({ pieceMs });
      await body.drainTo(sink);
      assert.ok(isWhole());
      assert.deepEqual(parts, [], `${pieceMs}`);
    }
  });

  it('comes in parts where one connection is slower than two, four at once, in order', async () => {
    let open = 0;
    let most = 0;
    const { body, first, sink, parts, rests, isWhole, position } = setUp({
      pieceMs: 100,
      async openPart(span) {
        open += 1;
        most = Math.max(most, open);
        assert.ok(span.start - position() <= 4 * 4 * mib, 'what waits in memory is bounded');
        const part = bodyOf(span);
        return { ...part, drainTo: (to: ByteSink) => part.drainTo(to).finally(() => (open -= 1)) };
      },
    });
    await body.drainTo(sink);
    assert.ok(isWhole());
    assert.ok(first.cancelled);
    assert.deepEqual(rests, []);
    assert.equal(parts[0]?.start, 14 * mib, 'after a second at 10 MB/s');
    assert.deepEqual(
      parts.map(({ end, start }) => end - start),
      [4, 4, 4, 4, 4, 4, 2].map((count) => count * mib),
    );
    assert.ok(most <= 4, `${most}`);
  });

  it('comes over one again where two are no faster, and the next blob does not try', async () => {
    const verdict: { pays?: boolean } = {};
    let arrive = (): void => {};
    const met = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { body, first, sink, parts, rests, isWhole } = setUp({
      pieceMs: 100,
      verdict,
      openPart: async (span) => {
        let nth = 0;
        return bodyOf(span, () => ++nth > 1 && met);
      },
    });
    const cancel = first.cancel;
    first.cancel = async () => {
      arrive();
      await cancel();
    };
    await body.drainTo(sink);
    assert.ok(isWhole());
    assert.deepEqual([parts.length, rests], [1, [18 * mib]]);
    assert.deepEqual(verdict, { pays: false });
    const next = setUp({ pieceMs: 100, verdict });
    await next.body.drainTo(next.sink);
    assert.ok(next.isWhole());
    assert.deepEqual(next.parts, []);
  });

  it('stays with its connection where the registry gives no parts', async () => {
    const { body, first, sink, parts, rests, isWhole } = setUp({
      pieceMs: 100,
      openPart: () => Promise.reject(new OciError('UNSUPPORTED', 'the whole blob came')),
    });
    await body.drainTo(sink);
    assert.ok(isWhole());
    assert.deepEqual([first.cancelled, parts.length, rests], [false, 1, []]);
  });

  it('stays with its connection where another one gets no answer, and the next blob does not try', async () => {
    const verdict: { pays?: boolean } = {};
    const { body, first, sink, parts, rests, isWhole } = setUp({
      pieceMs: 100,
      verdict,
      openPart: () => new Promise(() => {}),
    });
    await body.drainTo(sink);
    assert.ok(isWhole());
    assert.deepEqual([first.cancelled, parts.length, rests], [false, 1, []]);
    assert.deepEqual(verdict, { pays: false });
  });

  it('goes on over one connection after any failure of a part, from where it was', async () => {
    const breaks: ((span: Span) => Promise<HttpBody>)[] = [
      async ({ start }) => bodyOf({ start, end: start + mib }),
      () => Promise.reject(new OciError('PROTOCOL', 'other bytes than those asked for')),
    ];
    for (const [at, broken] of breaks.entries()) {
      let nth = 0;
      const openPart = async (span: Span): Promise<HttpBody> => (++nth === 3 ? broken(span) : bodyOf(span));
      const { body, sink, rests, isWhole } = setUp({ pieceMs: 100, openPart });
      await body.drainTo(sink);
      assert.deepEqual(rests, [(at === 0 ? 23 : 22) * mib]);
      assert.ok(isWhole());
    }
  });

  it('ends when it is stopped, and its parts too', async () => {
    const stop = new AbortController();
    const stopped: boolean[] = [];
    const { body, sink, parts } = setUp({
      pieceMs: 100,
      openPart: async (span, signal) =>
        span.start === 14 * mib
          ? bodyOf(span)
          : new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                stopped.push(true);
                reject(signal.reason);
              });
              setImmediate(() => stop.abort(new OciError('CANCELLED', 'interrupted')));
            }),
    });
    await assert.rejects(body.drainTo(sink, { signal: stop.signal }), /interrupted/);
    assert.equal(stopped.length, parts.length - 1);
  });
});

describe('a registry that limits each connection', () => {
  it('gives a large blob in ranges, and a whole blob where it knows none', async (t) => {
    const digest = await digestBytes(blob);
    for (const knowsRanges of [true, false]) {
      const server = await startFakeServer(t, async ({ headers }, response) => {
        const [, from = '0', to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
        const isPart = knowsRanges && headers.range !== undefined;
        const end = to ? Number(to) + 1 : size;
        const span = isPart ? blob.subarray(Number(from), end) : blob;
        response.writeHead(isPart ? 206 : 200, {
          'content-length': span.length,
          ...(isPart && { 'content-range': `bytes ${from}-${end - 1}/${size}` }),
        });
        if (isPart) return response.end(span);
        for (let at = 0; at < span.length && !response.destroyed; at += mib) {
          response.write(span.subarray(at, at + mib));
          await new Promise((resolve) => setTimeout(resolve, 120));
        }
        return response.end();
      });
      const content = await openRemote(t, server.url).getBlob(repo, { mediaType: mediaTypes.ociLayer, digest, size });
      // It is verified as it is read.
      await content.drainTo({ write: async () => {} });
      const ranges = server.requests.filter(({ headers }) => headers.range !== undefined).length;
      assert.ok(knowsRanges ? ranges > 3 : ranges === 1, `${ranges}`);
    }
  });
});
