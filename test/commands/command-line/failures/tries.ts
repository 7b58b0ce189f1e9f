/** How to cause the failures that docs/exit-codes.md describes. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CommandOptions, ocictl } from '../../../support/command.ts';
import { startFakeServer } from '../../../support/fake-server.ts';
import { pushImage } from '../../../support/images.ts';
import { type RunResult, start } from '../../../support/process.ts';
import { projectRoot } from '../../../support/project.ts';
import { sandbox } from '../../../support/sandbox.ts';
import { app, imageFor, one, startPlace } from '../../copy/places.ts';

/** A command, with its expected error and hint. Its result is undefined after `t.skip`. */
export interface Try {
  readonly run: (t: TestContext) => Promise<RunResult | undefined>;
  readonly error: RegExp;
  readonly hint: RegExp;
}

/** By the text in the document's first column. */
export type Tries = Readonly<Record<string, readonly Try[]>>;

/** A registry with an image, behind a proxy that can disturb it. */
export async function startFilled(t: TestContext) {
  const place = await startPlace(t);
  const image = await imageFor('amd64');
  await pushImage(place.registry, app, one, image);
  return { ...place, layer: image.blobs[1]?.descriptor.digest ?? '' };
}

/** Runs words in which `@` is a host where nothing listens. */
export async function uncontacted(t: TestContext, words: readonly string[]): Promise<RunResult> {
  const { host, close } = await startFakeServer(t, () => {});
  close();
  return ocictl(
    t,
    words.map((word) => word.replace('@', host)),
  );
}

/** Runs a line of shell in which `ocictl` is the built program. */
export async function inShell(t: TestContext, line: string, options: CommandOptions = {}): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  const ocictl = `ocictl() { '${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}' "$@"; }`;
  return start(t, 'bash', ['-c', `${ocictl}\n${line}`], { env, cwd: options.cwd ?? home }).result;
}
