import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { start } from '../../support/process.ts';
import { projectRoot } from '../../support/project.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

describe('a checkout in which nothing was built', () => {
  it('names the command that builds it, with status 1', async (t) => {
    const root = await temporaryDirectory(t);
    await mkdir(join(root, 'bin'));
    await writeFile(join(root, 'package.json'), '{"type":"module"}');
    for (const name of ['ocictl.js', 'package.json'])
      await copyFile(join(projectRoot, 'bin', name), join(root, 'bin', name));
    const run = () => start(t, process.execPath, [join(root, 'bin', 'ocictl.js'), '--version'], { env: {} }).result;
    const { exitCode, stdout, stderr } = await run();
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.equal(stderr, 'error: ocictl is not built yet\nhint: run npm ci and npm run build in its checkout\n');
    // A build that exists but is broken is a different failure.
    await mkdir(join(root, 'dist'));
    await writeFile(join(root, 'dist', 'installed.cjs'), "require('./gone.cjs');");
    assert.match((await run()).stderr, /gone\.cjs/);
  });
});
