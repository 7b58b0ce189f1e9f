/** Copies to and from a docker-registry whose network loses one request in five, with default settings except for times. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { loadSettings } from '../../../src/config/settings.ts';
import { parseReference, parseRepositoryName, parseTag, type Tag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { createRegistryService } from '../../../src/service/create-service.ts';
import { transfer } from '../../../src/transfer/transfer.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { assertSame, servedAt } from '../../support/images/walk.ts';
import { type Built, buildAttestation, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { type DockerRegistry, needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { atEnd, sandbox } from '../../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const probability = 0.2;
const faults = [{ status: 503 }, { cutAfterBytes: 0 }, { silent: true }];
const images = new Map<Tag, Built>();
for (let at = 0; at < 20; at += 1) images.set(parseTag(`v${at}`), await buildNth(at));

describe('a docker-registry that fails one request of five, and cuts bodies in the middle', {
  concurrency: true,
}, () => {
  for (const seed of ['a', 'b', 'c']) {
    it(`gives 20 images with at most 1.8 times the requests (seed ${seed})`, async (t) => {
      if (!needs(t, 'docker-registry')) return;
      const { proxy, registry: server } = await startDestination(t);
      const direct = await openService(t, server.host);
      for (const [tag, built] of images) await pushImage(direct, app, tag, built);
      const copyFrom = async (source: Registry): Promise<Registry> => {
        const target = memoryRegistry();
        for (const tag of images.keys()) {
          const to = { registry: target, repo: app, tags: [tag] };
          await transfer({ from: { registry: source, repo: app, reference: tag }, to }).result;
        }
        return target;
      };
      await copyFrom(await openService(t, proxy.host));
      const faultless = proxy.requests.length;
      proxy.failByChance({ probability, seed, faults: [...faults, { cutAfterBytes: 7 }] });
      const target = await copyFrom(await openService(t, proxy.host));
      const ratio = (proxy.requests.length - faultless) / faultless;
      const figures = `${proxy.requests.length - faultless} requests, ${faultless} without faults: ${ratio.toFixed(2)}`;
      t.diagnostic(figures);
      const { url } = await startServe(t, { registry: target });
      for (const [tag, built] of images) await assertSame(servedAt(url, app), tag, built);
      assert.ok(ratio <= 1.8, figures);
    });
  }
});

describe('a docker-registry that fails one request of five', { concurrency: true }, () => {
  for (const [who, oneService] of [
    ['one process', true],
    ['a process for each', false],
  ] as const) {
    for (const seed of ['a', 'b', 'c']) {
      it(`gets 20 images from ${who} with at most 1.8 times the requests (seed ${seed})`, async (t) => {
        if (!needs(t, 'docker-registry')) return;
        const source = memoryRegistry();
        for (const [tag, built] of images) await pushImage(source, app, tag, built);
        const sound = await startDestination(t);
        await copyAll(t, source, sound.proxy, oneService);
        const faultless = sound.proxy.requests.length;
        const { proxy, registry } = await startDestination(t);
        proxy.failByChance({ probability, seed, faults });
        await copyAll(t, source, proxy, oneService);
        const ratio = proxy.requests.length / faultless;
        const figures = `${proxy.requests.length} requests, ${faultless} without faults: ${ratio.toFixed(2)}`;
        t.diagnostic(figures);
        for (const [tag, built] of images) await assertSame(servedAt(registry.url, app), tag, built);
        assert.ok(ratio <= 1.8, figures);
      });
    }
  }
});

async function startDestination(t: TestContext): Promise<{ proxy: FaultProxy; registry: DockerRegistry }> {
  const registry = await startDockerRegistry(t);
  return { registry, proxy: await startFaultProxy(t, registry.url) };
}

/** @param oneService Whether one service copies them all; otherwise each image has its own, as in a script. */
async function copyAll(t: TestContext, source: Registry, { host }: FaultProxy, oneService: boolean): Promise<void> {
  const shared = await openService(t, host);
  // Copies run one after the other: parallel copies would race for common layers, which would blur the count.
  for (const tag of images.keys()) {
    const to = { registry: oneService ? shared : await openService(t, host), repo: app, tags: [tag] };
    await transfer({ from: { registry: source, repo: app, reference: tag }, to }).result;
  }
}

async function openService(t: TestContext, host: string): Promise<Registry> {
  const { env } = await sandbox(t);
  const service = createRegistryService({
    settings: await loadSettings({ env }),
    warn: (text) => assert.fail(text),
    userAgent: 'ocictl/test',
    // A stall lasts about a second, not a minute.
    limits: { headersTimeoutMs: 250, idleTimeoutMs: 250 },
    retry: { baseDelayMs: 2, maxDelayMs: 20 },
  });
  atEnd(t, () => service.close());
  return service.open(parseReference(`${host}/${app}`), 'push');
}

/** The images of a team, with a common base. Every fourth is for two platforms, with an attestation. */
async function buildNth(at: number): Promise<Built> {
  const build = (architecture: string) =>
    buildImage({
      platform: { os: 'linux', architecture },
      layers: [
        { files: { base: architecture } },
        { files: { app: `${at}` } },
        { files: { data: 'x'.repeat(at * 999) } },
      ],
    });
  if (at % 4 !== 0) return build('amd64');
  const [amd64, arm64] = [await build('amd64'), await build('arm64')];
  return buildIndex([amd64, arm64, await buildAttestation(amd64)]);
}
