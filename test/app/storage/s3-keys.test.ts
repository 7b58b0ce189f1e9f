import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { s3Keys } from '../../../src/app/storage/s3-keys.ts';
import { isOciError } from '../../../src/model/errors.ts';

const given = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };

/** A package whose keys are numbered, and end after these times; then it fails. */
function packageWith(validMs: readonly number[]) {
  const asked: boolean[] = [];
  const provider = async ({ forceRefresh = false } = {}) => {
    asked.push(forceRefresh);
    const ms = validMs[asked.length - 1];
    if (ms === undefined) throw new Error('the metadata service is silent\nand more');
    return { accessKeyId: `A${asked.length}`, secretAccessKey: 's', expiration: new Date(Date.now() + ms) };
  };
  return { asked, packages: { has: () => true, load: () => ({ defaultProvider: () => provider }) } };
}

const hourMs = 3_600_000;

describe('the keys of a store on S3', () => {
  it('are those of the variables, with the token of a session', async () => {
    assert.deepEqual(await s3Keys(given)(), { accessKeyId: 'AKID', secretAccessKey: 'secret' });
    const withToken = await s3Keys({ ...given, AWS_SESSION_TOKEN: 'token' })();
    assert.equal(withToken.sessionToken, 'token');
  });

  it('are otherwise those of the package, kept until five minutes before they end', async () => {
    const { asked, packages } = packageWith([hourMs, 299_000, hourMs]);
    const keys = s3Keys({}, packages);
    assert.deepEqual(
      (await Promise.all([keys(), keys(), keys()])).map(({ accessKeyId }) => accessKeyId),
      ['A1', 'A1', 'A1'],
    );
    assert.equal((await keys({ refused: await keys() })).accessKeyId, 'A2');
    assert.equal((await keys()).accessKeyId, 'A3');
    assert.equal((await keys()).accessKeyId, 'A3');
    assert.deepEqual(asked, [false, true, true]);
  });

  it('are renewed once for all requests that were refused with the same ones, however late they say so', async () => {
    const { asked, packages } = packageWith([hourMs, hourMs, hourMs]);
    const keys = s3Keys({}, packages);
    const refused = await keys();
    const renewed = await Promise.all([keys({ refused }), keys({ refused })]);
    const late = await keys({ refused });
    assert.deepEqual(
      [...renewed, late].map(({ accessKeyId }) => accessKeyId),
      ['A2', 'A2', 'A2'],
    );
    assert.equal((await keys({ refused: late })).accessKeyId, 'A3');
    assert.deepEqual(asked, [false, true, true]);
  });

  it('are renewed for a URL that is to be valid for longer', async () => {
    const { packages } = packageWith([600_000, hourMs]);
    const keys = s3Keys({}, packages);
    assert.equal((await keys()).accessKeyId, 'A1');
    assert.equal((await keys({ leastMs: 1_200_000 })).accessKeyId, 'A2');
  });

  it('are not asked for again with each URL where the source has none that are valid for so long', async () => {
    const { asked, packages } = packageWith([hourMs / 6, hourMs / 6, hourMs]);
    const keys = s3Keys({}, packages);
    for (let i = 0; i < 5; i += 1) assert.equal((await keys({ leastMs: hourMs / 3 })).accessKeyId, 'A1');
    assert.deepEqual(asked, [false]);
  });

  it('are used to their end if they cannot be renewed', async () => {
    const { packages } = packageWith([299_000]);
    const keys = s3Keys({}, packages);
    assert.equal((await keys()).accessKeyId, 'A1');
    assert.equal((await keys()).accessKeyId, 'A1');
    await assert.rejects(keys({ refused: await keys() }), (error) => {
      return (
        isOciError(error, 'CONFIG_INVALID') &&
        error.message === 'there are no keys for S3: the metadata service is silent'
      );
    });
  });

  it('are missing, and it says what to install, where there is no package', async () => {
    await assert.rejects(s3Keys({}, { has: () => false, load: () => assert.fail('loaded') })(), (error) => {
      return isOciError(error, 'CONFIG_INVALID') && /npm install @aws-sdk/.test(error.hint ?? '');
    });
  });
});
