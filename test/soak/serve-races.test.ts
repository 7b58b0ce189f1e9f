import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { spawnServe } from '../support/command.ts';
import { type Built, blobsIn, buildImage } from '../support/images.ts';
import { sandbox } from '../support/sandbox.ts';
import { oneOf, raceSeconds } from './bars.ts';
import { type Deed, History } from './history.ts';

const clients = 16;
/** After this time all clients pause, and the registry is checked. */
const roundSeconds = 10;
const repos = ['team/a', 'team/b'].map((name) => parseRepositoryName(name));
const tags = ['1', '2', '3', '4', '5', 'latest'].map((name) => parseTag(name));

/** Only a few images, so that each has several tags at once; they share a layer. */
const images: readonly Built[] = await Promise.all(
  Array.from({ length: 5 }, (_, at) =>
    buildImage({ layers: [{ files: { base: 'base' } }, { files: { app: `${at}`.repeat(50_000) } }] }),
  ),
);

describe('ocictl serve', () => {
  it(`keeps its word to ${clients} clients that push, tag and delete the same names`, async (t) => {
    const { home } = await sandbox(t);
    const { url } = await spawnServe(t, ['--root', join(home, 'images')]);
    const history = new History();
    let needed = 0;
    for (let left = raceSeconds; left > 0; left -= roundSeconds) {
      const until = performance.now() + Math.min(left, roundSeconds) * 1000;
      const run = async (): Promise<void> => {
        while (performance.now() < until) await oneOf(deeds)(url, history);
      };
      await Promise.all(Array.from({ length: clients }, run));
      needed += await assertKept(url, history);
    }
    t.diagnostic(`${history.summary()}; ${needed} tags had to be there`);
  });
});

const deeds: readonly ((url: string, history: History) => Promise<void>)[] = [push, push, retag, retag, untag, remove];

async function push(url: string, history: History): Promise<void> {
  const [repo, tag, image] = [oneOf(repos), oneOf(tags), oneOf(images)];
  for (const { descriptor, source } of blobsIn(image)) {
    const opened = await ask(`${url}/v2/${repo}/blobs/uploads/`, { method: 'POST' }, [202]);
    const place = new URL(opened.headers.get('location') ?? '', url);
    place.searchParams.set('digest', descriptor.digest);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await source.open(0)) chunks.push(Uint8Array.from(chunk));
    await ask(place, { method: 'PUT', body: Buffer.concat(chunks) }, [201]);
  }
  const { mediaType, bytes } = image.manifest;
  await put(url, history, { repo, tag, digest: image.descriptor.digest }, mediaType, bytes);
}

async function retag(url: string, history: History): Promise<void> {
  const [repo, from, tag] = [oneOf(repos), oneOf(tags), oneOf(tags)];
  const found = await ask(`${url}/v2/${repo}/manifests/${from}`, {}, [200, 404]);
  if (found.status === 404) return;
  const digest = (found.headers.get('docker-content-digest') ?? '') as Digest;
  await put(url, history, { repo, tag, digest }, found.headers.get('content-type') ?? '', found.body);
}

async function put(
  url: string,
  history: History,
  deed: Omit<Deed, 'kind'>,
  type: string,
  body: Uint8Array,
): Promise<void> {
  await history.record({ kind: 'put', ...deed }, async () => {
    const init = { method: 'PUT', body, headers: { 'content-type': type } };
    // A manifest may only name blobs of its repository, and only a collection removes blobs.
    return (await ask(`${url}/v2/${deed.repo}/manifests/${deed.tag}`, init, [201])).status === 201;
  });
}

async function untag(url: string, history: History): Promise<void> {
  const [repo, tag] = [oneOf(repos), oneOf(tags)];
  await history.record({ kind: 'untag', repo, tag }, async () => {
    return (await ask(`${url}/v2/${repo}/manifests/${tag}`, { method: 'DELETE' }, [202, 404])).status === 202;
  });
}

async function remove(url: string, history: History): Promise<void> {
  const [repo, digest] = [oneOf(repos), oneOf(images).descriptor.digest];
  await history.record({ kind: 'remove', repo, digest }, async () => {
    return (await ask(`${url}/v2/${repo}/manifests/${digest}`, { method: 'DELETE' }, [202, 404])).status === 202;
  });
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

async function ask(url: string | URL, init: RequestInit, expected: readonly number[]): Promise<Answered> {
  const { status, headers, ...response } = await fetch(url, init).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    body: new Uint8Array(await answer.arrayBuffer()),
  }));
  const text = Buffer.from(response.body).toString('utf8', 0, 500);
  assert.ok(expected.includes(status), `${init.method ?? 'GET'} ${url}: ${status} ${text}`);
  return { status, headers, body: response.body };
}

/** Checks that what is listed is complete, and that what must be there is listed. @returns How many tags must be there. */
async function assertKept(url: string, history: History): Promise<number> {
  let needed = 0;
  for (const repo of repos) {
    const { body } = await ask(`${url}/v2/${repo}/tags/list`, {}, [200]);
    const listed: unknown = JSON.parse(Buffer.from(body).toString());
    assert.ok(typeof listed === 'object' && listed !== null && 'tags' in listed && Array.isArray(listed.tags));
    const names: readonly unknown[] = listed.tags;
    for (const tag of names) {
      const { headers } = await ask(`${url}/v2/${repo}/manifests/${tag}`, {}, [200]);
      const digest = headers.get('docker-content-digest');
      const image = images.find(({ descriptor }) => descriptor.digest === digest);
      assert.ok(image, `${repo}:${tag} is ${digest}`);
      for (const { descriptor } of blobsIn(image)) {
        const blob = await ask(`${url}/v2/${repo}/blobs/${descriptor.digest}`, {}, [200]);
        assert.equal(blob.body.length, descriptor.size);
      }
    }
    for (const tag of tags) {
      const may = history.mustPointAt(repo, tag);
      if (may === undefined) continue;
      needed += 1;
      assert.ok(names.includes(tag), `${repo}:${tag} was put last, and is not listed:\n${history.told(repo, tag)}`);
      const { headers } = await ask(`${url}/v2/${repo}/manifests/${tag}`, {}, [200]);
      const digest = headers.get('docker-content-digest') ?? '';
      assert.ok(may.has(digest), `${repo}:${tag} is ${digest}, not ${[...may].join(' or ')}`);
    }
  }
  return needed;
}
