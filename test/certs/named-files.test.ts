import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readAuthorityFiles, readPair } from '../../src/certs/named-files.ts';
import { isOciError } from '../../src/model/errors.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('a certificate file that a setting names', () => {
  it('is refused if it is a pipe, whose reading might never end', async (t) => {
    const pipe = join(await temporaryDirectory(t), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const refused = (error: unknown) => isOciError(error, 'CONFIG_INVALID') && error.message.includes(`${pipe} cannot`);
    const origin = { kind: 'flag', name: '--tls-cert' } as const;
    await assert.rejects(readPair({ cert: pipe, key: pipe }, { cert: origin, key: origin }), refused);
    await assert.rejects(readAuthorityFiles([pipe], origin), refused);
  });
});
