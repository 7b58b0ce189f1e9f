import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDigest } from '../../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { readContent } from '../../../src/registry/content.ts';
import { type CommandOptions, ocictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startServe } from '../../support/registries.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';

export const repo = parseRepositoryName('team/app');

/** A registry behind a proxy that counts, and a directory with files. */
export async function setUp(t: Scope) {
  const { home } = await sandbox(t);
  const { url, registry } = await startServe(t);
  const proxy = await startFaultProxy(t, url);
  await writeFile(join(home, 'hello.txt'), 'hello\n');
  const name = `${proxy.host}/${repo}`;
  const push = (words: readonly string[], options?: CommandOptions) =>
    ocictl(t, ['artifact', 'push', ...words], options);
  /** What the manifest says that was pushed. */
  const pushed = async (words: readonly string[], options?: CommandOptions) => {
    const { exitCode, stdout, stderr } = await push([`${name}:1`, ...words], options);
    assert.equal(exitCode, 0, stderr);
    const { bytes, descriptor } = await registry.getManifest(repo, parseTag('1'));
    assert.equal(stdout, `${name}@${descriptor.digest}\n`);
    return { document: JSON.parse(Buffer.from(bytes).toString()), digest: descriptor.digest, stderr };
  };
  /** The bytes of a blob. */
  const blob = async (digest: string): Promise<Buffer> =>
    Buffer.from(await readContent(await registry.getBlob(repo, parseDigest(digest)), 10_000_000));
  return { home, registry, proxy, name, push, pushed, blob };
}
