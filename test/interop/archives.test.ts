import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { suggestCommand } from '../../src/commands/command-line/suggest.ts';
import { imageFor } from '../commands/copy/places.ts';
import { ocictl } from '../support/command.ts';
import { keepImage } from '../support/local-store.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { sandbox } from '../support/sandbox.ts';

describe('the hint for docker load', () => {
  it('takes the image of an archive that skopeo wrote', async (t) => {
    if (!needs(t, 'skopeo', 'tar')) return;
    const { home, env } = await sandbox(t);
    const run = async (line: string): Promise<string> => {
      const { exitCode, stdout, stderr } = await start(t, 'bash', ['-c', line], { env, cwd: home }).result;
      assert.equal(exitCode, 0, stderr);
      return stdout;
    };
    const image = await imageFor('amd64');
    await keepImage(t, 'app:1', image);

    const written = await ocictl(t, ['save', '-o', 'made.tar', 'app:1'], { cwd: home });
    assert.equal(written.exitCode, 0, written.stderr);

    const [, unpack = '', file = ''] =
      /with (tar .*?); if DIR has an? (\S+),/.exec(suggestCommand(['load'], []) ?? '') ?? [];
    await run('skopeo copy --preserve-digests oci-archive:made.tar:1 oci-archive:theirs.tar:2');
    await mkdir(join(home, 'theirs'));
    await run(`${unpack.replace('FILE', 'theirs.tar').replace('DIR', 'theirs')}; test -f theirs/${file}`);
    const taken = await ocictl(t, ['copy', 'oci:theirs:2', 'store:again:1'], { cwd: home });
    assert.equal(taken.exitCode, 0, taken.stderr);
    assert.match((await ocictl(t, ['digest', 'store:again:1'])).stdout, new RegExp(image.descriptor.digest));
  });
});
