import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createReceipt, type Receipt, readReceipt } from '../../src/archive/receipt.ts';
import { parseDigest } from '../../src/model/digest.ts';
import { failsWith } from '../contract/contract.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const [a, b] = [parseDigest(`sha256:${'a'.repeat(64)}`), parseDigest(`sha256:${'b'.repeat(64)}`)];

describe('a receipt', () => {
  it('comes back as it was written, and equal ones are equal files', async (t) => {
    const directory = await temporaryDirectory(t);
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    const receipt: Receipt = new Map([
      ['docker.io/library/app', new Set([b, a])],
      ['__proto__', new Set([a])],
    ]);
    await (await createReceipt(one))(receipt);
    assert.deepEqual(new Map(await readReceipt(one)), new Map([...receipt].reverse()));
    await (await createReceipt(two))(await readReceipt(one));
    assert.equal(await readFile(two, 'utf8'), await readFile(one, 'utf8'));
    assert.deepEqual(await readdir(directory), ['one', 'two']);
  });

  it('is refused if it is something else, and the error says what is wrong', async (t) => {
    const file = join(await temporaryDirectory(t), 'receipt.json');
    const refused = async (text: string, ...rest: Parameters<typeof failsWith>): Promise<string> => {
      await writeFile(file, text);
      const error = await readReceipt(file).then(
        () => assert.fail(`taken: ${text}`),
        (reason: unknown) => reason,
      );
      assert.ok(failsWith(...rest)(error));
      return (error as Error).message;
    };
    assert.match(await refused('not JSON', 'ARCHIVE_INVALID'), /is not a receipt: it is not JSON$/);
    assert.match(await refused('{}', 'ARCHIVE_INVALID'), /is not a receipt: it has no version$/);
    assert.match(await refused('{"version":2,"repositories":{}}', 'UNSUPPORTED'), /is a receipt of version 2/);
    assert.match(await refused('{"version":1}', 'ARCHIVE_INVALID'), /repositories must be an object$/);
    const wrong = '{"version":1,"repositories":{"app":["sha256:1"]}}';
    assert.match(
      await refused(wrong, 'ARCHIVE_INVALID'),
      /repositories\["app"\] has "sha256:1", which is not a digest$/,
    );
    await assert.rejects(readReceipt(`${file}.gone`), failsWith('USAGE'));
  });
});
