import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storageError } from '../../../src/layout/directory/file-errors.ts';
import { openLayout } from '../../../src/layout/layout.ts';
import { OciError } from '../../../src/model/errors.ts';
import { failsWith } from '../../contract/contract.ts';

describe('failures of the disk under a layout', () => {
  for (const [errno, code] of [
    ['ENOSPC', 'STORAGE_FULL'],
    ['EDQUOT', 'STORAGE_FULL'],
    ['EACCES', 'STORAGE_DENIED'],
    ['EPERM', 'STORAGE_DENIED'],
    ['EROFS', 'STORAGE_DENIED'],
    ['EIO', 'STORAGE'],
    ['EMFILE', 'STORAGE'],
  ] as const) {
    it(`are ${code} for ${errno}, with the file and what was tried`, () => {
      const cause = Object.assign(new Error(`${errno}: it failed`), { code: errno });
      const error = storageError(cause, 'write', '/some/file');
      assert.ok(error instanceof OciError);
      assert.equal(error.code, code);
      assert.equal(error.cause, cause);
      assert.match(error.message, /^cannot write \/some\/file: /);
    });
  }

  it('are passed on if they are of another kind', () => {
    for (const error of [new OciError('TOO_LARGE', 'x'), new Error('x'), 'x']) {
      assert.equal(storageError(error, 'write', 'f'), error);
    }
  });

  // The kernel's own directory accepts no files, not even from root.
  it('reach the caller', { skip: process.platform !== 'linux' && 'needs the /sys of Linux' }, async () => {
    await assert.rejects(openLayout({ directory: '/sys/ocictl-layout', create: true }), failsWith('STORAGE_DENIED'));
  });
});
