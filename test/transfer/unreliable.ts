import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type Built, blobsIn, buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { startServe } from '../support/registries.ts';
import { atEnd } from '../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const probability = 0.2;
const faults = [{ status: 503 }, { cutAfterBytes: 0 }, { silent: true }];
const count = 20;

/** Twenty images that share a layer, as the images of one team do. */
const images: readonly Built[] = await Promise.all(
  Array.from({ length: count }, (_, at) =>
    buildImage({
      layers: [{ files: { base: 'base' } }, { files: { app: `${at}` } }, { files: { data: 'x'.repeat(at * 999) } }],
    }),
  ),
);

async function startSource(): Promise<Registry> {
  const registry = memoryRegistry();
  for (const [at, image] of images.entries()) await pushImage(registry, app, parseTag(`v${at}`), image);
  return registry;
}

/**
 * A client with the retries of the command line, but short waits.
 *
 * @param stallMs How long silence is accepted; default a minute.
 */
function openHurried(t: TestContext, url: string, stallMs = 60_000): Registry {
  const transport = createTransport({
    base: new URL(url),
    retry: { baseDelayMs: 2, maxDelayMs: 20 },
    limits: { headersTimeoutMs: stallMs, idleTimeoutMs: stallMs },
  });
  atEnd(t, () => transport.close());
  return createRemote({
    name: new URL(url).host,
    transport,
    authorizer: createAuthorizer({ transport, credentials: async () => undefined }),
  });
}

/** Copies several at a time; otherwise the stalls would add up. */
async function copyAll(source: Registry, destination: Registry): Promise<void> {
  const queue = images.keys();
  const copy = async (): Promise<void> => {
    for (const at of queue) {
      const tag = parseTag(`v${at}`);
      await transfer({
        from: { registry: source, repo: app, reference: tag },
        to: { registry: destination, repo: app, tags: [tag] },
      }).result;
    }
  };
  await Promise.all(Array.from({ length: 7 }, copy));
}

async function startDestination(t: TestContext): Promise<{ registry: Registry; proxy: FaultProxy }> {
  const { registry, url } = await startServe(t);
  return { registry, proxy: await startFaultProxy(t, url) };
}

/** @param seeds Of what chance chooses, a test each. */
export function describeUnreliable(seeds: readonly string[]): void {
  describe('a destination that fails one request of five', { concurrency: true }, () => {
    for (const seed of seeds) {
      it(`gets 20 images with at most 1.8 times the requests (seed ${seed})`, { timeout: 300_000 }, async (t) => {
        const source = await startSource();
        const sound = await startDestination(t);
        await copyAll(source, openHurried(t, sound.proxy.url));
        const faultless = sound.proxy.requests.length;
        // Even on a busy machine, an answered request must not take as long as a stall.
        const slowestMs = Math.max(...sound.proxy.requests.map(({ waitedMs = 0 }) => waitedMs));
        const stallMs = Math.ceil(Math.max(200, 5 * slowestMs));
        const { registry, proxy } = await startDestination(t);
        proxy.failByChance({ probability, seed, faults });
        await copyAll(source, openHurried(t, proxy.url, stallMs));
        t.diagnostic(
          `${proxy.requests.length} requests, ${faultless} without faults: ${(proxy.requests.length / faultless).toFixed(2)}`,
        );
        assert.ok(
          proxy.requests.length <= 1.8 * faultless,
          `${proxy.requests.length} requests, ${faultless} without faults`,
        );
        for (const [at, image] of images.entries()) {
          assert.equal((await registry.statManifest(app, parseTag(`v${at}`))).digest, image.descriptor.digest);
          for (const { descriptor } of blobsIn(image)) await registry.statBlob(app, descriptor.digest);
        }
      });
    }
  });
}
