import assert from 'node:assert/strict';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type RunResult, start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { type Scope, sandbox, temporaryDirectory } from '../support/sandbox.ts';

/** A project that depends on ocictl as it is published: the bundle. */
async function makeProject(t: TestContext): Promise<string> {
  const project = await temporaryDirectory(t);
  const installed = join(project, 'node_modules', 'ocictl');
  await mkdir(join(installed, 'dist'), { recursive: true });
  await cp(join(projectRoot, 'package.json'), join(installed, 'package.json'));
  // A link is followed to where it leads, so the chunks beside the bundle are found.
  await symlink(join(projectRoot, 'dist', 'index.js'), join(installed, 'dist', 'index.js'));
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  return project;
}

/** Adds the declarations, made from the sources, and what it takes to be checked with them. */
async function addTypes(t: TestContext, project: string): Promise<void> {
  const made = join(project, 'node_modules', 'ocictl', 'dist', 'types');
  const words = ['-p', join(projectRoot, 'tsconfig.types.json'), '--outDir', made];
  assert.equal((await tsc(t, projectRoot, words)).stdout, '');
  for (const name of ['@types', 'undici', 'undici-types']) {
    await symlink(join(projectRoot, 'node_modules', name), join(project, 'node_modules', name));
  }
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', 'examples'] }));
}

async function tsc(t: Scope, cwd: string, words: readonly string[]): Promise<RunResult> {
  const { env } = await sandbox(t);
  const program = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  return start(t, process.execPath, [program, ...words], { env, cwd }).result;
}

async function readmeExample(): Promise<string> {
  const text = await readFile(join(projectRoot, 'README.md'), 'utf8');
  const [, code] = /^## As a library$.*?^```ts\n(.*?)^```$/ms.exec(text) ?? [];
  assert.ok(code, 'the README has no example');
  return code;
}

describe('the package', () => {
  it('gives a strict project all the types that the examples and the README need', async (t) => {
    const project = await makeProject(t);
    await addTypes(t, project);
    await cp(join(projectRoot, 'examples'), join(project, 'examples'), { recursive: true });
    await writeFile(join(project, 'readme.ts'), await readmeExample());
    // A mistake beside them shows that mistakes are found.
    await writeFile(join(project, 'wrong.ts'), "import { serve } from 'ocictl';\nawait serve({ port: 'no' });\n");
    const { stdout } = await tsc(t, project, []);
    assert.deepEqual(stdout.match(/^\S+(?=\(\d+,\d+\): error)/gm), ['wrong.ts'], stdout);
    assert.match(stdout, /^wrong\.ts\(2,\d+\): error .*'string'/m);
  });

  it('runs what the README shows', async (t) => {
    const project = await makeProject(t);
    await writeFile(join(project, 'readme.js'), await readmeExample());
    const { env } = await sandbox(t);
    const ran = await start(t, process.execPath, ['readme.js'], { env, cwd: project }).result;
    assert.deepEqual([ran.exitCode, ran.stdout, ran.stderr], [0, 'hello', '']);
  });
});
