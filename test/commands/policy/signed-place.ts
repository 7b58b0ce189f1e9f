/** A registry with images, keys that sign them, and policies. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RepositoryName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { writePublicKey } from '../../../src/trust/keys/public-key.ts';
import { signManifest } from '../../../src/trust/sign/sign.ts';
import { keySigner } from '../../../src/trust/signer.ts';
import { ocictl } from '../../support/command.ts';
import type { Built } from '../../support/images.ts';
import type { RunResult } from '../../support/process.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, startPlace } from '../copy/places.ts';

export const team = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

interface SignOptions {
  readonly key?: KeyObject;
  readonly repo?: RepositoryName;
  readonly identity?: string;
  readonly format?: 'tag' | 'bundle' | 'both';
}

/** Signs an image in a registry, as `ocictl sign` does. */
export async function sign(
  registry: Registry,
  { descriptor }: Pick<Built, 'descriptor'>,
  { key = team, repo = app, identity = 'registry.example.com/team/app', format = 'tag' }: SignOptions = {},
): Promise<void> {
  const { mediaType, digest, size } = descriptor;
  const subject = { mediaType, digest, size };
  const request = { registry, repo, subject, signer: keySigner(key), identity, annotations: {} };
  await signManifest(request, format, new Date(0), () => {});
}

/** A registry, and `team.pub` and `stranger.pub` in the directory that commands run in. */
export async function startJudged(t: TestContext) {
  const place = await startPlace(t);
  const { home } = await sandbox(t);
  await writeFile(join(home, 'team.pub'), writePublicKey(createPublicKey(team)));
  await writeFile(join(home, 'stranger.pub'), writePublicKey(createPublicKey(stranger)));
  const policy = async (text: string, file = 'policy.yaml'): Promise<void> => writeFile(join(home, file), text);
  /** For the repositories of this registry, with more fields of their rule. */
  const demand = (fields = '', rest = 'default: reject'): Promise<void> =>
    policy(`${rest}\nregistries:\n  "${place.host}/**":\n    signed-by: [{ key: team.pub }]\n${fields}`);
  const configure = async (text: string): Promise<void> => {
    await mkdir(join(home, 'config', 'ocictl'), { recursive: true });
    await writeFile(join(home, 'config', 'ocictl', 'config.yaml'), text);
  };
  const run = (...words: readonly string[]): Promise<RunResult> =>
    ocictl(t, [words[0] ?? '', '--policy', 'policy.yaml', ...words.slice(1)], { cwd: home });
  return { ...place, home, name: `${place.host}/team/app`, policy, demand, configure, run };
}
