import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openArchiveFile } from '../../../src/archive/envelope/open-file.ts';
import { spool } from '../../../src/archive/envelope/spool.ts';
import { type ErrorCode, OciError } from '../../../src/model/errors.ts';
import { entryBytes, tarOf } from '../../support/archives/tar.ts';
import { zstdFrame } from '../../support/images/zstd.ts';
import { needs } from '../../support/programs.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const tar = tarOf([{ name: 'a', content: 'x'.repeat(3000) }]);

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function contentOf(opening: ReturnType<typeof spool>): Promise<Buffer> {
  const file = await opening;
  const bytes = Buffer.alloc(file.size);
  assert.equal(await file.read(bytes, 0), file.size);
  file.close();
  file.close();
  return bytes;
}

function refusal(code: ErrorCode, message: RegExp, hint: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String((error as Error)?.stack));
    assert.deepEqual([error.code, error.message.match(message) !== null], [code, true], error.message);
    assert.match(error.hint ?? '', hint);
    return true;
  };
}

/** Everything in the directory for temporary files that is ours. */
async function temporaryFiles(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => /^ocictl-[0-9a-f]{8}-/.test(name));
}

describe('a stream', () => {
  it('is unpacked whatever it is compressed with, in chunks of any size, and leaves no file', async () => {
    const before = await temporaryFiles();
    const members = Buffer.concat([gzipSync(tar.subarray(0, 1000)), gzipSync(tar.subarray(1000))]);
    const frames = Buffer.concat([
      zstdFrame(tar.subarray(0, 1000)),
      // A skippable frame.
      Uint8Array.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]),
      zstdFrame(tar.subarray(1000)),
    ]);
    for (const packed of [tar, gzipSync(tar), members, zstdFrame(tar), frames]) {
      for (const size of [1, 7, 100_000]) {
        const file = await spool(chunks(packed, size), 'the stream');
        assert.deepEqual(await temporaryFiles(), before);
        assert.deepEqual(await contentOf(Promise.resolve(file)), tar);
      }
    }
  });

  it('is unpacked from what the zstd program makes', async (t) => {
    if (!needs(t, 'zstd')) return;
    const content = Buffer.alloc(3_000_000, 'some text that repeats itself, ');
    crypto.getRandomValues(content.subarray(1_000_000, 1_050_000));
    for (const level of ['-1', '-19']) {
      const { stdout } = spawnSync('zstd', ['-q', '-c', '--check', level], { input: content });
      assert.deepEqual(await contentOf(spool(chunks(stdout, 10_000), 'the stream')), content);
    }
  });

  it('that is empty, damaged or cut off is refused', async () => {
    const again = /make it again/;
    await assert.rejects(spool(chunks(new Uint8Array(0), 1), 's'), refusal('ARCHIVE_INVALID', /^s is empty$/, again));
    for (const [name, packed] of [
      ['gzip', gzipSync(tar)],
      ['zstd', zstdFrame(tar)],
    ] as const) {
      const cut = spool(chunks(packed.subarray(0, packed.length - 10), 100), 's');
      const message = new RegExp(`^s is damaged: its ${name} compression is wrong or ends early$`);
      await assert.rejects(cut, refusal('ARCHIVE_INVALID', message, again));
      const broken = Buffer.from(packed);
      broken.fill(0xff, 9, 15);
      await assert.rejects(spool(chunks(broken, 100), 's'), refusal('ARCHIVE_INVALID', message, again));
    }
  });

  it('that is compressed otherwise is refused with the command that unpacks it', async () => {
    const xz = Uint8Array.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3]);
    const unpacked = refusal('UNSUPPORTED', /^s is compressed with xz/, /: xz -dc FILE \| ocictl load$/);
    await assert.rejects(spool(chunks(xz, 1), 's'), unpacked);
    const bzip2 = refusal('UNSUPPORTED', /^s is compressed with bzip2/, /: bzip2 -dc FILE \| ocictl load$/);
    await assert.rejects(spool(chunks(Buffer.from('BZh91AY&SY'), 1), 's'), bzip2);
  });

  it('that unpacks to many times its size is refused before it fills the disk', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
    const refused = refusal('TOO_LARGE', /unpacks to more than 200 times its size/, /gzip -dc FILE \| ocictl load$/);
    await assert.rejects(spool(chunks(bomb, 1000), 's', { bombBytes: 1024 * 1024 }), refused);
    // As much is no bomb if it is small.
    assert.equal((await contentOf(spool(chunks(bomb, 1000), 's'))).length, 20 * 1024 * 1024);
  });

  it('is refused if its zstd frames want more memory than unpacking may take', async () => {
    // A window of 1 GiB, in the second frame.
    const hungry = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 20 << 3, 1, 0, 0]);
    const packed = Buffer.concat([zstdFrame(tar), hungry]);
    const codes = refusal(
      'createZstdDecompress' in (await import('node:zlib')) ? 'ARCHIVE_INVALID' : 'TOO_LARGE',
      /zstd|memory/,
      /./,
    );
    for (const size of [1, 1000]) await assert.rejects(spool(chunks(packed, size), 's'), codes);
  });

  it('fails with its own error, and leaves no file', async () => {
    const before = await temporaryFiles();
    const failing = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      yield gzipSync(tar).subarray(0, 100);
      throw new OciError('NETWORK', 'gone');
    };
    await assert.rejects(spool(failing(), 's'), { code: 'NETWORK' });
    const stop = new AbortController();
    const endless = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for (let i = 0; ; i += 1) {
        if (i === 100) stop.abort(new Error('stopped'));
        yield tar;
      }
    };
    await assert.rejects(spool(endless(), 's', { signal: stop.signal }), { message: 'stopped' });
    assert.deepEqual(await temporaryFiles(), before);
  });
});

describe('the file of an archive', () => {
  it('is read where it is, or unpacked', async (t) => {
    const directory = await temporaryDirectory(t);
    const stdin = () => chunks(gzipSync(tar), 10);
    for (const [name, bytes] of [
      ['a.tar', tar],
      ['a.tar.gz', gzipSync(tar)],
      ['a:b', zstdFrame(tar)],
    ] as const) {
      const file = join(directory, name);
      await writeFile(file, bytes);
      assert.deepEqual(await contentOf(openArchiveFile({ file, stdin })), tar);
    }
    assert.deepEqual(await contentOf(openArchiveFile({ file: '-', stdin })), tar);
  });

  it('is refused if it is none', async (t) => {
    const directory = await temporaryDirectory(t);
    const file = (name: string): string => join(directory, name);
    const open = (name: string) => openArchiveFile({ file: file(name), stdin: () => process.stdin });
    await mkdir(file('directory'));
    await writeFile(file('empty'), '');
    await writeFile(file('x.xz'), Uint8Array.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]));
    spawnSync('mkfifo', [file('pipe')]);
    await assert.rejects(open('gone'), refusal('NAME_UNKNOWN', /^there is no archive .*gone$/, /check the path/));
    await assert.rejects(open('empty/x'), refusal('NAME_UNKNOWN', /^there is no archive/, /check the path/));
    await assert.rejects(open('directory'), refusal('NAME_UNKNOWN', /is a directory/, /oci:.*dir:/));
    await assert.rejects(open('empty'), refusal('ARCHIVE_INVALID', /empty is empty$/, /again/));
    await assert.rejects(open('pipe'), refusal('USAGE', /is a pipe or a device/, /ocictl load < /));
    await assert.rejects(open('x.xz'), refusal('UNSUPPORTED', /compressed with xz/, /xz -dc .*x\.xz \| ocictl load$/));
    const terminal = { isTTY: true, ...chunks(tar, 10), [Symbol.asyncIterator]: () => chunks(tar, 10) };
    const typed = openArchiveFile({ file: '-', stdin: () => terminal });
    await assert.rejects(typed, refusal('USAGE', /is a terminal/, /docker save IMAGE \| ocictl load/));
  });

  it('is not held up by a pipe that gives nothing once it is stopped', async () => {
    const stop = new AbortController();
    let end = (): void => {};
    const silent = {
      destroy: () => end(),
      async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
        yield entryBytes({ name: 'a' });
        await new Promise<void>((resolve) => {
          end = resolve;
          stop.abort(new Error('stopped'));
        });
      },
    };
    await assert.rejects(openArchiveFile({ file: '-', stdin: () => silent, signal: stop.signal }), {
      message: 'stopped',
    });
  });
});
