import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type RawEntry, tarOf } from '../../support/archives/tar.ts';
import { ocictl } from '../../support/command.ts';
import { type BuiltImage, buildImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';

/** Writes `x.tar` into the home of the test. */
export async function writeTar(t: TestContext, entries: readonly RawEntry[], name = 'x.tar'): Promise<void> {
  const { home } = await sandbox(t);
  await writeFile(join(home, name), tarOf(entries));
}

export function imageOf(names: readonly string[], architecture = 'amd64'): Promise<BuiltImage> {
  return buildImage({
    platform: { os: 'linux', architecture },
    layers: names.map((name) => ({ files: { [name]: `of ${name}` }, compression: 'none' })),
  });
}

/** What the local store has under a name: its digest, or the status of the error. */
export async function stored(t: TestContext, name: string): Promise<string | number | null> {
  const { exitCode, stdout } = await ocictl(t, ['digest', `store:${name}`]);
  return exitCode === 0 ? stdout.trim() : exitCode;
}
