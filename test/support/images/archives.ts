/** Reads archives with GNU tar and as layouts, for tests of what is written. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { openLayout } from '../../../src/layout/layout.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { type Scope, temporaryDirectory } from '../sandbox.ts';

const exec = promisify(execFile);

/** The lines of `tar -tv`: mode, owner, size, time and name. */
export async function entriesOf(archive: string): Promise<readonly string[]> {
  const words = ['--numeric-owner', '--full-time', '--utc', '-tvf', archive];
  const { stdout } = await exec('tar', words, { env: { ...process.env, LC_ALL: 'C' } });
  return stdout.trimEnd().split('\n');
}

/** The names of an archive's files, in order. */
export async function namesIn(archive: string): Promise<readonly string[]> {
  return (await exec('tar', ['-tf', archive])).stdout.trimEnd().split('\n');
}

/** A JSON file of an archive. */
export async function documentIn<T>(archive: string, name: string): Promise<T> {
  return JSON.parse((await exec('tar', ['-xOf', archive, name])).stdout) as T;
}

/** Unpacks an archive, and opens it as a layout. */
export async function unpackLayout(t: Scope, archive: string): Promise<Registry> {
  const directory = await temporaryDirectory(t);
  await exec('tar', ['-xf', archive, '-C', directory]);
  return openLayout({ directory, readOnly: true });
}

/** The sha256 of a file, in hex. */
export async function sumOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
