import assert from 'node:assert/strict';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { Output } from '../../src/terminal/output.ts';
import { bufferedText } from '../support/buffered.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const written = (output: Output, text: string): Promise<unknown> =>
  new Promise((resolve) => output.write(text, resolve));

describe('an output', () => {
  it('writes a short text to the descriptor, and opens no stream', async (t) => {
    const file = join(await temporaryDirectory(t), 'out');
    const output = new Output(() => assert.fail('opened'), openSync(file, 'w'));
    await written(output, 'grüß\n');
    await written(output, 'Gott\n');
    assert.equal(output.isTTY, false);
    assert.equal(readFileSync(file, 'utf8'), 'grüß\nGott\n');
  });

  it('leaves more than a pipe takes at once to the stream, and all that follows', async (t) => {
    const file = join(await temporaryDirectory(t), 'out');
    const stream = new PassThrough();
    const output = new Output(() => stream, openSync(file, 'w'));
    await written(output, 'a'.repeat(4000));
    await written(output, 'b'.repeat(4000));
    await written(output, 'c');
    assert.equal(readFileSync(file, 'utf8'), 'a'.repeat(4000));
    assert.equal(bufferedText(stream), `${'b'.repeat(4000)}c`);
  });

  it('tells why nothing was taken', async () => {
    const output = new Output(() => new PassThrough(), openSync('/dev/full', 'w'));
    const error = (await written(output, 'x')) as NodeJS.ErrnoException;
    assert.equal(error.code, 'ENOSPC');
  });

  it('tells of errors of a stream that is opened later', async () => {
    const stream = new PassThrough();
    const output = new Output(() => stream);
    const told = new Promise((resolve) => output.onError(resolve));
    await written(output, 'x');
    stream.destroy(new Error('gone'));
    assert.equal(String(await told), 'Error: gone');
  });
});
