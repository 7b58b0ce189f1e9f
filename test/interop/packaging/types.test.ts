import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { check, compilers, makeProject, readmeExample } from '../../library/project.ts';
import { start } from '../../support/process.ts';
import { projectRoot } from '../../support/project.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('the package', () => {
  for (const [name, compiler] of Object.entries(compilers)) {
    it(`gives a strict project all the types that the examples and the README need, with ${name}`, async (t) => {
      const project = await makeProject(t);
      await cp(join(projectRoot, 'examples'), join(project, 'examples'), { recursive: true });
      await writeFile(join(project, 'readme.ts'), await readmeExample());
      // A mistake beside them shows that mistakes are found.
      await writeFile(
        join(project, 'wrong.ts'),
        "import { serve } from 'ocictl/server';\nawait serve({ port: 'no' });\n",
      );
      const said = await check(t, project, { compiler });
      assert.deepEqual(said.match(/^\S+(?=\(\d+,\d+\): error)/gm), ['wrong.ts'], said);
      assert.match(said, /^wrong\.ts\(2,\d+\): error .*'string'/m);
    });
  }

  it('is resolved by bundlers, too', async (t) => {
    const project = await makeProject(t);
    await writeFile(join(project, 'readme.ts'), await readmeExample());
    assert.equal(await check(t, project, { module: 'esnext', moduleResolution: 'bundler' }), '');
  });

  it('runs the code of the README', async (t) => {
    const project = await makeProject(t);
    await writeFile(join(project, 'readme.js'), await readmeExample());
    const { env } = await sandbox(t);
    const ran = await start(t, process.execPath, ['readme.js'], { env, cwd: project }).result;
    assert.deepEqual([ran.exitCode, ran.stdout, ran.stderr], [0, 'hello', '']);
  });

  it('has one OciError, whatever entry it came from', async (t) => {
    const project = await makeProject(t);
    await writeFile(
      join(project, 'errors.js'),
      `import { isOciError, OciError } from 'ocictl';
       import { decodeError } from 'ocictl/server';
       const error = decodeError(new Uint8Array(), { status: 404, subject: 'it', endpoint: 'here' });
       console.log(isOciError(error), error instanceof OciError);`,
    );
    const { env } = await sandbox(t);
    const ran = await start(t, process.execPath, ['errors.js'], { env, cwd: project }).result;
    assert.equal(ran.stdout, 'true true\n', ran.stderr);
  });
});
