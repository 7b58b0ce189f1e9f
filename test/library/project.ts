import assert from 'node:assert/strict';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunResult, start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { type Scope, sandbox, temporaryDirectory } from '../support/sandbox.ts';

/** Versions of TypeScript that users have, by the package that they are installed as here. */
export const compilers = { 'TypeScript 7': 'typescript', 'TypeScript 5': 'typescript-5' } as const;

/** The directory with the rolled-up declarations. Made when a source has changed, which takes half a minute. */
export async function declarations(t: Scope): Promise<string> {
  const script = "import('./scripts/types.mjs').then(async (m) => console.log(await m.declarations()))";
  const { env } = await sandbox(t);
  const made = await start(t, process.execPath, ['-e', script], { env, cwd: projectRoot }).result;
  assert.equal(made.exitCode, 0, made.stderr);
  return made.stdout.trim();
}

/**
 * An empty project that depends on ocictl as it is published: package.json, the bundle, the declarations. Beside it there are the
 * types of Node alone.
 */
export async function makeProject(t: Scope): Promise<string> {
  const project = await temporaryDirectory(t);
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'ocictl');
  await mkdir(installed, { recursive: true });
  await cp(join(projectRoot, 'package.json'), join(installed, 'package.json'));
  await cp(join(projectRoot, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(await declarations(t), join(installed, 'dist', 'types'), { recursive: true, force: true });
  await mkdir(join(modules, '@types'));
  for (const name of ['@types/node', 'undici-types']) {
    await symlink(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  return project;
}

/** Checks the files of a project, strictly and with all declarations that they use. @returns What the compiler says. */
export async function check(
  t: Scope,
  project: string,
  { compiler = 'typescript', ...more }: { readonly compiler?: string; readonly [option: string]: unknown } = {},
): Promise<string> {
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2023', strict: true, exactOptionalPropertyTypes: true },
    ...{ noEmit: true, skipLibCheck: false, ...more },
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const { stdout, stderr } = await runTsc(t, project, compiler);
  return stdout + stderr;
}

async function runTsc(t: Scope, cwd: string, compiler: string): Promise<RunResult> {
  const { env } = await sandbox(t);
  const program = join(projectRoot, 'node_modules', compiler, 'bin', 'tsc');
  return start(t, process.execPath, [program, '-p', '.'], { env, cwd }).result;
}

/** The program in the README's part about the library. */
export async function readmeExample(): Promise<string> {
  const text = await readFile(join(projectRoot, 'README.md'), 'utf8');
  const [, code] = /^## As a library$.*?^```ts\n(.*?)^```$/ms.exec(text) ?? [];
  assert.ok(code, 'the README has no example');
  return code;
}
