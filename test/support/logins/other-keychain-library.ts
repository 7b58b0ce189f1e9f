/** An installed ocictl in which keytar cannot be loaded. */
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../project.ts';
import { type Scope, temporaryDirectory } from '../sandbox.ts';

/** @returns The package's directory, with our programs below `bin`. */
export async function withoutKeytar(t: Scope): Promise<string> {
  const directory = await temporaryDirectory(t);
  for (const name of ['bin', 'dist', 'package.json']) {
    await cp(join(projectRoot, name), join(directory, name), { recursive: true });
  }
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, 'keytar'), { recursive: true });
  await writeFile(join(modules, 'keytar', 'index.js'), "throw new Error('built for another Node');\n");
  await symlink(join(projectRoot, 'node_modules', '@napi-rs'), join(modules, '@napi-rs'));
  return directory;
}
