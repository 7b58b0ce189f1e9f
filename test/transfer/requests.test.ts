/** What a transfer asks, in which order, and what it asks at the same time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OciError } from '../../src/model/errors.ts';
import type { TransferEvent } from '../../src/model/events.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { isDigestReference, parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { connecting } from '../../src/registry/extensions.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type TransferOptions, transfer } from '../../src/transfer/transfer.ts';
import { type Built, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { intercept } from '../support/network/intercept.ts';

const repo = parseRepositoryName('team/app');
const [tag, another] = [parseTag('v1'), parseTag('v2')];

const image = (name = 'a'): Promise<Built> =>
  buildImage({ layers: ['a', 'b', 'c'].map((layer) => ({ files: { [layer]: `${name} ${layer}` } })) });

async function holding(built: Built): Promise<Registry> {
  const registry = memoryRegistry();
  await pushImage(registry, repo, tag, built);
  return registry;
}

/** A registry that answers after some milliseconds; its requests, and how many of each kind ran at the same time. */
function watched(registry: Registry) {
  const asked: string[] = [];
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const record = async <T>(what: string, reference: string, run: () => Promise<T>): Promise<T> => {
    asked.push(`${what} ${isDigestReference(reference as never) ? 'digest' : reference}`);
    const now = (running.get(what) ?? 0) + 1;
    running.set(what, now);
    most.set(what, Math.max(now, most.get(what) ?? 0));
    await sleep(5);
    return run().finally(() => running.set(what, (running.get(what) ?? 0) - 1));
  };
  const seen = intercept(registry, {
    statManifest: (next, ...args) => record('stat', args[1], () => next(...args)),
    getManifest: (next, ...args) => record('get', args[1], () => next(...args)),
    pushBlob: (next, ...args) => record('blob', args[1].digest, () => next(...args)),
    pushManifest: (next, ...args) => record('put', args[2]?.tags?.[0] ?? args[2]?.digest ?? '', () => next(...args)),
  });
  return { registry: seen, asked, most };
}

function run(from: Registry, to: Registry, more: Partial<TransferOptions['to']> = {}): ReturnType<typeof transfer> {
  return transfer({
    from: { registry: from, repo, reference: tag },
    to: { registry: to, repo, tags: [tag], ...more },
  });
}

describe('a transfer into a store', () => {
  it('reads at once what the store has nothing of, and looks first at what it has', async () => {
    const from = watched(await holding(await image()));
    const store = memoryRegistry();
    await run(from.registry, store, { sparse: true }).result;
    assert.deepEqual(from.asked, [`get ${tag}`]);
    await run(from.registry, store, { sparse: true }).result;
    assert.deepEqual(from.asked.slice(1), [`stat ${tag}`]);
  });

  it('has connections opened while it reads what the store has nothing of, and none to look', async () => {
    const asked: string[] = [];
    const ahead = {
      open: (count: number): unknown => asked.push(`open ${count}`),
      expectMany: (): unknown => asked.push('expect many'),
    };
    const from = intercept(await holding(await image()), {
      extension: (_next, key) => (key === connecting ? ahead : undefined) as never,
      getManifest(next, ...args) {
        asked.push('get');
        return next(...args);
      },
    });
    const store = memoryRegistry();
    await run(from, store, { sparse: true }).result;
    await run(from, store, { sparse: true }).result;
    assert.deepEqual(asked, ['open 3', 'get', 'expect many']);
  });

  it('reads the images of an index at the same time', async () => {
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/riscv64'].map(parsePlatform);
    const images = platforms.map((platform) =>
      buildImage({ platform, layers: [{ files: { a: platform.architecture } }] }),
    );
    const index = await buildIndex(await Promise.all(images));
    const from = watched(await holding(index));
    const to = memoryRegistry();
    const transferred = run(from.registry, to, { sparse: true });
    const found: string[] = [];
    for await (const event of transferred.events) {
      if (event.type === 'discovered' && event.kind === 'manifest') found.push(event.node.digest);
    }
    await transferred.result;
    assert.equal(from.most.get('get'), 3);
    assert.deepEqual(
      found,
      [index, ...index.children].map(({ descriptor }) => descriptor.digest),
      'they are told in the order of the index',
    );
  });
});

describe('a transfer to a registry', () => {
  it('is one look where the tag is right already', async () => {
    const from = await holding(await image());
    const to = watched(await holding(await image()));
    const { changed } = await run(from, to.registry).result;
    assert.equal(changed, false);
    assert.deepEqual(to.asked, [`stat ${tag}`]);
  });

  it('looks for blobs and for the image under another name at the same time', async () => {
    const from = await holding(await image());
    const to = watched(memoryRegistry());
    await run(from, to.registry).result;
    assert.deepEqual(to.asked, [`stat ${tag}`, 'stat digest', ...Array(4).fill('blob digest'), `put ${tag}`]);
    assert.equal(to.most.get('blob'), 4);
  });

  it('stops looking for blobs where the image is there under another name', async () => {
    const from = await holding(await image());
    const to = await holding(await image());
    let stopped = 0;
    const slow = intercept(watched(to).registry, {
      pushBlob: (_next, ...[, , , opts]) =>
        new Promise((_, reject) =>
          opts?.signal?.addEventListener('abort', () => {
            stopped += 1;
            reject(opts.signal?.reason);
          }),
        ),
    });
    const transferred = run(from, slow, { tags: [another] });
    const done: TransferEvent[] = [];
    for await (const event of transferred.events) if (event.type === 'done') done.push(event);
    const { changed, transferredBytes } = await transferred.result;
    assert.deepEqual([changed, transferredBytes, stopped], [true, 0, 4]);
    assert.deepEqual(
      done.map((event) => event.type === 'done' && event.outcome),
      Array(5).fill('exists'),
    );
    assert.equal((await to.statManifest(repo, another)).digest, (await to.statManifest(repo, tag)).digest);
  });

  it('fails with the error of a blob where the look for the image fails, too', async () => {
    const from = await holding(await image());
    const broken = new Error('no more room');
    const to = intercept(memoryRegistry(), {
      statManifest: async (next, ...args) => {
        if (isDigestReference(args[1])) throw new OciError('UNAVAILABLE', 'later', { status: 503 });
        return next(...args);
      },
      pushBlob: async () => {
        throw broken;
      },
    });
    await assert.rejects(run(from, to).result, (error) => error === broken);
  });

  it('does not look for blobs where a tag is added in the repository that has the image', async () => {
    const registry = await holding(await image());
    const to = watched(registry);
    await transfer({
      from: { registry, repo, reference: tag },
      to: { registry: to.registry, repo, tags: [another] },
      mountFrom: repo,
    }).result;
    assert.deepEqual(to.asked, [`stat ${another}`, 'stat digest', `put ${another}`]);
  });

  it('pushes the images of an index at the same time, and the index after them', async () => {
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/riscv64'].map(parsePlatform);
    const images = platforms.map((platform) =>
      buildImage({ platform, layers: [{ files: { a: platform.architecture } }] }),
    );
    const from = await holding(await buildIndex(await Promise.all(images)));
    const to = watched(memoryRegistry());
    await run(from, to.registry).result;
    assert.deepEqual(
      to.asked.filter((what) => what.startsWith('put')),
      ['put digest', 'put digest', 'put digest', `put ${tag}`],
    );
    assert.equal(to.most.get('put'), 3);
  });
});
