import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openConfigFileStore } from '../../src/credentials/config-file.ts';
import { detectScheme } from '../../src/endpoints/detect-scheme.ts';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { verifySchema1 } from '../../src/model/manifest/schema1.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { repository } from '../../src/registry/repository.ts';
import { openRemote } from '../../src/remote/open.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { all, failsWith } from '../contract/contract.ts';
import { signSchema1 } from '../support/images/schema1.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { makeCertificates, needs, startDockerRegistry } from '../support/programs.ts';
import { atEnd, sandbox } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('1');
const account = { username: 'ada', password: 'correct horse' };

describe('the library at a docker-registry with a password file and an authority of its own', () => {
  it('is let in with an auth file and that authority, and without either is told why not', async (t) => {
    if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return;
    const tls = await makeCertificates(t);
    const { url, host } = await startDockerRegistry(t, { tls, htpasswd: account });
    const file = join((await sandbox(t)).home, 'auth.json');
    const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
    await writeFile(file, JSON.stringify({ auths: { [host]: { auth } } }));
    assert.equal(await detectScheme(host), 'https');

    const ca = [await readFile(tls.authority, 'utf8')];
    const open = (options: Partial<Parameters<typeof openRemote>[0]>) => {
      const registry = openRemote({ url, ...options });
      atEnd(t, () => registry.close());
      return registry;
    };
    const registry = open({ tls: { ca }, credentials: openConfigFileStore(file) });
    const image = await buildImage({ layers: [] });
    await pushImage(registry, repo, tag, image);
    const app = repository(registry, repo);
    assert.deepEqual(await all(app.tags.lookup(image.descriptor.digest)), [tag]);

    const writer = await app.blobs.create();
    await writer.write(Buffer.from('half, '));
    await writer[Symbol.asyncDispose]();
    const again = await app.blobs.resume(writer.id);
    await again.write(Buffer.from('and half'));
    const digest = await digestBytes(Buffer.from('half, and half'));
    assert.equal((await again.commit({ digest })).size, 14);

    await assert.rejects(open({ tls: { ca } }).statManifest(repo, tag), failsWith('UNAUTHORIZED'));
    await assert.rejects(open({ tls: { ca }, direct: true }).statManifest(repo, tag), failsWith('UNAUTHORIZED'));
    await assert.rejects(open({ credentials: openConfigFileStore(file) }).ping(), failsWith('TLS'));
  });

  it('pushes, reads and copies a signed manifest in schema 1 by the digest of what was signed', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const open = async (options: { readonly schema1?: boolean }) => {
      const { url } = await startDockerRegistry(t, options);
      const registry = openRemote({ url, retry: { attempts: 1 } });
      atEnd(t, () => registry.close());
      return registry;
    };
    const registry = await open({ schema1: true });
    const layer = await repository(registry, repo).blobs.put(Buffer.from('a layer'));
    const v1 = JSON.stringify({ id: '1'.repeat(64), os: 'linux', config: {} });
    const old = {
      schemaVersion: 1,
      name: repo,
      tag,
      architecture: 'amd64',
      fsLayers: [{ blobSum: layer.digest }],
      history: [{ v1Compatibility: v1 }],
    };
    const payload = Buffer.from(JSON.stringify(old, undefined, 3));
    const bytes = signSchema1(payload, [{ alg: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }]);
    const mediaType = mediaTypes.dockerSchema1Signed;
    const { digest } = await registry.pushManifest(repo, { mediaType, bytes }, { tags: [tag] });
    assert.equal(digest, await digestBytes(payload));
    for (const reference of [tag, digest]) {
      const got = await registry.getManifest(repo, reference, { accept: [mediaType] });
      assert.deepEqual([got.view.kind, got.descriptor.digest], ['schema1', digest]);
      assert.deepEqual(Buffer.from(verifySchema1(got.bytes).payload), payload);
    }
    const from = { registry, repo, reference: tag };
    const other = await open({ schema1: true });
    const { root } = await transfer({ from, to: { registry: other, repo, tags: [tag] } }).result;
    assert.equal(root.digest, digest);
    // This registry stores the signed payload, and signs it itself for each answer.
    assert.deepEqual(Buffer.from(verifySchema1((await other.getManifest(repo, tag)).bytes).payload), payload);
    assert.equal((await other.statBlob(repo, layer.digest)).size, layer.size);

    for (const to of [
      { registry: await open({}), repo, tags: [tag] },
      { registry: memoryRegistry(), repo, tags: [tag] },
    ]) {
      await assert.rejects(transfer({ from, to }).result, failsWith('UNSUPPORTED'));
    }
    const store = memoryRegistry({ sparseIndexes: true });
    const pulled = transfer({ from, to: { registry: store, repo, tags: [tag], sparse: true } }).result;
    await assert.rejects(pulled, failsWith('UNSUPPORTED'));
    await assert.rejects(store.statBlob(repo, layer.digest), failsWith('BLOB_UNKNOWN', 'NAME_UNKNOWN'));
  });

  it('finds that another speaks plain http', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await startDockerRegistry(t);
    assert.equal(await detectScheme(host), 'http');
  });
});
