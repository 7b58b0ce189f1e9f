import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { usesPodman } from '../../src/credentials/uses-podman.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('whether podman concerns a user', () => {
  for (const trace of ['.local/share/containers/storage/x', '.config/containers/auth.json']) {
    it(`is told by ${trace}, where podman is installed`, async (t) => {
      const homedir = await temporaryDirectory(t);
      const bin = await temporaryDirectory(t);
      const where = { env: { PATH: bin }, platform: 'linux', homedir, uid: 4711 } as const;
      const program = join(bin, 'podman');
      await writeFile(program, '');
      await chmod(program, 0o755);
      assert.equal(usesPodman(where), false, 'it came with the distribution');
      await mkdir(dirname(join(homedir, trace)), { recursive: true });
      await writeFile(join(homedir, trace), '');
      assert.equal(usesPodman(where), true);
      assert.equal(usesPodman({ ...where, env: { PATH: '/nonexistent' } }), false);
    });
  }
});
