import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openHtpasswd, parseHtpasswd } from '../../../src/config/ocictl/htpasswd.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const hash = `$2y$05$${'a'.repeat(53)}`;
const other = `$2b$10$${'b'.repeat(53)}`;

describe('a password file', () => {
  it('has users with bcrypt hashes, comments and empty lines', () => {
    const text = `# people\r\nada:${hash}\r\n\n  # machines\nci-1:${other} \nada:${other}\n`;
    assert.deepEqual(
      [...parseHtpasswd(text, 'file')],
      [
        ['ada', other],
        ['ci-1', other],
      ],
    );
    assert.equal(parseHtpasswd('', 'file').size, 0);
  });

  it('is refused with the line if it is malformed, and no message has a hash', () => {
    const wrong = [
      'ada:$apr1$xxxxxxxx$secretsecretsecret',
      'ada:{SHA}secret',
      'ada:secret',
      `:${hash}`,
      'secret',
      `ada:${hash.replace('05', '03')}`,
      `ada:${hash}x`,
      `ada:${hash.replace('$05$', '$15$')}`,
    ];
    for (const line of wrong) {
      assert.throws(
        () => parseHtpasswd(`eve:${hash}\n${line}\n`, '/etc/htpasswd'),
        (error) =>
          isOciError(error, 'CONFIG_INVALID') &&
          error.message.startsWith('/etc/htpasswd:2: ') &&
          !/secret|\$2y/.test(error.message) &&
          /htpasswd -B/.test(error.hint ?? ''),
        line,
      );
    }
  });

  it('that is not there, or no file, says how to make one', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const file of [directory, join(directory, 'missing')]) {
      await assert.rejects(
        openHtpasswd(file, { warn: () => {} }),
        (error) => isOciError(error, 'CONFIG_INVALID') && error.message.includes(file),
      );
    }
  });

  it('counts anew when it changes; a broken change leaves the accounts of before', async (t) => {
    const file = join(await temporaryDirectory(t), 'htpasswd');
    await writeFile(file, `ada:${hash}\n`);
    const warnings: string[] = [];
    const accounts = await openHtpasswd(file, { warn: (text) => warnings.push(text) });
    const until = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
      while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    assert.deepEqual([...(await accounts()).keys()], ['ada']);
    await writeFile(`${file}.new`, `eve:${hash}\n`);
    await rename(`${file}.new`, file);
    await until(async () => (await accounts()).has('eve'));
    assert.equal((await accounts()).has('ada'), false);
    await writeFile(file, 'nonsense');
    await until(async () => (await accounts()) && warnings.length === 1);
    assert.match(warnings[0] ?? '', /:1: a line must be USER:HASH; the earlier accounts stay in effect/);
    assert.equal((await accounts()).has('eve'), true);
    await rm(file);
    await until(async () => (await accounts()) && warnings.length === 2);
    await writeFile(file, `zoe:${hash}\n`);
    await until(async () => (await accounts()).has('zoe'));
  });
});
