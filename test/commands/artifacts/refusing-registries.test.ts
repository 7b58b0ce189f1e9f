import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { buildImage } from '../../support/images.ts';
import { manifestsOnly } from '../../support/network/manifests-only.ts';
import { sandbox } from '../../support/sandbox.ts';

interface Refusals {
  /** Of the list of referrers. Default: there is no such API. */
  readonly list?: number;
  /** Of a manifest by digest, and of the fallback tag. Default: they are taken. */
  readonly manifest?: number;
  readonly tag?: number;
}

/** A registry with an image that has every blob and refuses the rest. */
async function startRefusing(t: TestContext, refusals: Refusals) {
  const image = await buildImage({ layers: [] });
  const written: string[] = [];
  const answer = manifestsOnly([image], { 1: image });
  const { host } = await startFakeServer(t, (request, response, incoming) => {
    const { path, method } = request;
    const status = (code: number) =>
      response
        .writeHead(code, { 'content-type': 'application/json', ...(code === 429 && { 'retry-after': '600' }) })
        .end(JSON.stringify({ errors: [{ code: code === 400 ? 'MANIFEST_INVALID' : 'DENIED', message: 'not here' }] }));
    if (/\/v2\/$/.test(path)) return response.writeHead(200).end();
    if (path.includes('/referrers/')) return status(refusals.list ?? 404);
    if (path.includes('/tags/list')) return response.writeHead(200).end('{"tags":["1"]}');
    if (path.includes('/blobs/uploads/')) return response.writeHead(201, { location: path }).end();
    if (path.includes('/blobs/')) return response.writeHead(200, { 'content-length': '2' }).end();
    if (method !== 'PUT') return answer(request, response, incoming);
    const isTag = path.endsWith(`/${fallbackTag(image.descriptor.digest)}`);
    const refused = isTag ? refusals.tag : refusals.manifest;
    if (refused !== undefined) return status(refused);
    written.push(isTag ? 'list' : 'manifest');
    return response.writeHead(201).end();
  });
  await writeFile(join((await sandbox(t)).home, 'report.json'), '{}');
  return { name: `${host}/team/app:1`, written };
}

const attach = (t: TestContext, name: string) =>
  ocictl(t, ['attach', name, '--artifact-type', 'a/report', 'report.json', '-q']);

describe('a registry that refuses what is attached', () => {
  it('at the fallback tag leaves it stored and not listed, which the error says', async (t) => {
    const { name, written } = await startRefusing(t, { tag: 403 });
    const { exitCode, stdout, stderr } = await attach(t, name);
    assert.deepEqual([exitCode, stdout, written], [4, '', ['manifest']], stderr);
    assert.match(stderr, /was stored, but not listed/);
  });

  it('by its manifest has nothing of it', async (t) => {
    for (const [status, exit] of [
      [400, 7],
      [403, 4],
    ] as const) {
      const { name, written } = await startRefusing(t, { manifest: status });
      const { exitCode, stdout, stderr } = await attach(t, name);
      assert.deepEqual([exitCode, stdout, written], [exit, '', []], `${status}: ${stderr}`);
    }
  });

  it('or throttles the list of referrers: that is an error everywhere, never an empty list', async (t) => {
    const { name } = await startRefusing(t, { list: 429 });
    for (const words of [
      ['discover', name],
      ['sbom', name],
      ['copy', '--referrers', name, 'oci:there'],
      ['save', '--referrers', '-o', 'saved.tar', name],
      ['manifest', 'delete', '--yes', '--referrers', name],
    ]) {
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.deepEqual([exitCode, stdout], [6, ''], `${words.join(' ')}: ${stderr}`);
    }
  });
});
