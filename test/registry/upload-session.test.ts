import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, digestBytes } from '../../src/model/digest.ts';
import { isOciError, OciError } from '../../src/model/errors.ts';
import { checkOffset, sessionWriter, type UploadBytes, UploadSession } from '../../src/registry/upload-session.ts';
import { failsWith } from '../contract/contract.ts';

const one = Buffer.from('one');
const two = Buffer.from('two');
const both = Buffer.concat([one, two]);
const other = await digestBytes(two, 'sha256');

/** Bytes in memory that record the calls. */
class TestBytes implements UploadBytes {
  readonly keeper = 'registry';
  readonly calls: string[] = [];
  held = Buffer.alloc(0);
  isOpen = false;
  failing: string | undefined;

  get size(): number {
    return this.held.length;
  }

  async open(): Promise<void> {
    this.#call('open');
    this.isOpen = true;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#call('write');
    this.held = Buffer.concat([this.held, chunk]);
  }

  async digest(): Promise<Digest> {
    this.#call('digest');
    return await digestBytes(this.held, 'sha256');
  }

  async place(): Promise<void> {
    this.#call('place');
  }

  async rest(): Promise<void> {
    this.#call('rest');
    this.isOpen = false;
  }

  async end(): Promise<void> {
    this.#call('end');
    this.isOpen = false;
  }

  unknown(): OciError {
    return new OciError('BLOB_UPLOAD_UNKNOWN', 'gone');
  }

  #call(name: string): void {
    this.calls.push(name);
    if (this.failing === name) throw new OciError('STORAGE', 'the disk broke');
  }
}

function session(): { readonly bytes: TestBytes; readonly session: UploadSession } {
  const bytes = new TestBytes();
  return { bytes, session: new UploadSession('id', new Date(0), bytes) };
}

describe('an upload session', () => {
  it('takes chunks in turn, and ends with its blob', async () => {
    const { bytes, session: upload } = session();
    let ended = 0;
    const writer = sessionWriter(upload, () => {
      ended += 1;
    });
    await writer.write(one);
    await writer.write(two);
    assert.equal(ended, 0);
    const descriptor = await writer.commit({ digest: await digestBytes(both, 'sha256'), size: 6 });
    assert.equal(descriptor.size, 6);
    await writer[Symbol.asyncDispose]();
    assert.deepEqual(bytes.calls, ['open', 'write', 'write', 'digest', 'place', 'end']);
    assert.equal(ended, 1);
    await assert.rejects(writer.write(one), failsWith('BLOB_UPLOAD_UNKNOWN'));
  });

  it('goes to the writer that writes, and the other learns how far it is', async () => {
    const { bytes, session: upload } = session();
    const [first, idle, second] = [sessionWriter(upload), sessionWriter(upload), sessionWriter(upload)];
    await first.write(one);
    await idle[Symbol.asyncDispose]();
    assert.equal(bytes.isOpen, true, 'who only asked disturbs nobody');
    const told = (error: unknown): boolean =>
      isOciError(error, 'RANGE_INVALID') && JSON.stringify(error.detail) === '{"size":3}';
    await assert.rejects(second.write(two), told);
    assert.throws(() => checkOffset(bytes, 0), told);
    checkOffset(bytes, 3);
    checkOffset(bytes, undefined);
    await sessionWriter(upload).write(two);
    assert.deepEqual(bytes.held, both);
    await assert.rejects(first.write(one), failsWith('RANGE_INVALID'));
  });

  for (const [what, code, expected] of [
    ['another size', 'SIZE_MISMATCH', { size: 4 }],
    ['another digest', 'DIGEST_MISMATCH', { digest: other }],
  ] as const) {
    it(`ends, and keeps nothing, when ${what} was announced`, async () => {
      const { bytes, session: upload } = session();
      const writer = sessionWriter(upload);
      await writer.write(one);
      await assert.rejects(writer.commit({ digest: await digestBytes(one, 'sha256'), ...expected }), failsWith(code));
      assert.equal(bytes.calls.at(-1), 'end');
      assert.ok(!bytes.calls.includes('place'));
      assert.equal(upload.ended, true);
    });
  }

  for (const step of ['write', 'digest', 'place']) {
    it(`rests, and can go on, when the disk fails to ${step}`, async () => {
      const { bytes, session: upload } = session();
      const digest = await digestBytes(both, 'sha256');
      const failing = sessionWriter(upload);
      await failing.write(one);
      bytes.failing = step;
      const run = async (): Promise<unknown> => {
        await failing.write(two);
        return await failing.commit({ digest });
      };
      await assert.rejects(run(), failsWith('STORAGE'));
      assert.equal(bytes.isOpen, false);
      bytes.failing = undefined;
      const next = sessionWriter(upload);
      if (next.size === one.length) await next.write(two);
      assert.equal((await next.commit({ digest })).digest, digest);
    });
  }

  it('is given up once', async () => {
    const { bytes, session: upload } = session();
    const writer = sessionWriter(upload);
    await writer.write(one);
    await writer.cancel();
    await writer.cancel();
    assert.deepEqual(bytes.calls, ['open', 'write', 'end']);
  });
});
