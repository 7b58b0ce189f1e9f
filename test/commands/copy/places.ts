/** Registries for the tests of push and copy, and the images they move. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseRepositoryName, parseTag, type RepositoryName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { type Built, buildAttestation, buildImage, buildIndex } from '../../support/images.ts';
import { type ServedRegistry, startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

export const app = parseRepositoryName('team/app');
export const [one, two, latest] = [parseTag('1'), parseTag('2'), parseTag('latest')];

/** A registry behind a proxy that records requests and can disturb them. */
export interface Place extends ServedRegistry {
  readonly proxy: FaultProxy;
}

export async function startPlace(t: TestContext): Promise<Place> {
  const served = await startServe(t);
  const proxy = await startFaultProxy(t, served.url);
  return { ...served, host: proxy.host, proxy };
}

/** An image with one layer for each name. */
export function imageFor(architecture: string, names: readonly string[] = ['a', 'b', 'c']): Promise<Built> {
  return buildImage({
    platform: { os: 'linux', architecture },
    layers: names.map((name) => ({ files: { [name]: `${name} for ${architecture}` } })),
  });
}

/** An index of three platforms with an attestation. */
export async function buildDemoIndex() {
  const [amd64, arm64, riscv64] = [await imageFor('amd64'), await imageFor('arm64'), await imageFor('riscv64')];
  const attestation = await buildAttestation(amd64);
  return { amd64, arm64, riscv64, attestation, index: await buildIndex([amd64, arm64, riscv64, attestation]) };
}

/** Asserts that a repository holds an image or index with everything below it, unchanged. */
export async function assertWhole(registry: Registry, repo: RepositoryName, built: Built): Promise<void> {
  const got = await registry.getManifest(repo, built.descriptor.digest);
  assert.deepEqual(Buffer.from(got.bytes), Buffer.from(built.manifest.bytes));
  for (const { descriptor } of built.blobs) {
    assert.equal((await registry.statBlob(repo, descriptor.digest)).size, descriptor.size);
  }
  for (const child of built.children) await assertWhole(registry, repo, child);
}

/** The requests that may change something, starting with the given number. */
export function writes(proxy: FaultProxy, from = 0): string[] {
  return proxy.requests
    .slice(from)
    .filter(({ method }) => method !== 'GET' && method !== 'HEAD')
    .map(({ method, path }) => `${method} ${path}`);
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Sets that one blob moves at a time: the largest first. */
export async function moveOneBlobAtATime(t: TestContext): Promise<void> {
  const directory = join((await sandbox(t)).home, 'config', 'ocictl');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.yaml'), 'max-concurrent-downloads: 1\n');
}
