import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBaseUrls } from '../../../src/storage/urls/base-url.ts';
import { failsWith } from '../../contract/contract.ts';
import { at } from '../drivers/every-driver.ts';

describe('URLs below a base', () => {
  it('are the base and the path', async () => {
    for (const base of ['https://files.example.com/images', 'https://files.example.com/images/']) {
      const url = await createBaseUrls({ base }).url(at('docker/registry/v2/blobs/x/data'), { validMs: 1 });
      assert.equal(url, 'https://files.example.com/images/docker/registry/v2/blobs/x/data');
    }
  });

  it('need a plain http(s) URL, which is not repeated where it is refused', () => {
    for (const base of [
      'files',
      'ftp://files',
      'https://ada:secret@files',
      'https://files?secret',
      'https://files#x',
    ]) {
      assert.throws(
        () => createBaseUrls({ base }),
        (error) => failsWith('USAGE')(error) && !/secret/.test((error as Error).message),
        base,
      );
    }
  });
});
