import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProgressEvent, TransferEvent } from '../../src/model/events.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('1');

describe('the waits of a transfer', () => {
  it('are events of the blob that waits, and told to onProgress, with when it goes on', async (t) => {
    const { registry: from } = await startServe(t);
    const layer = await randomLayer(1_000_000, 'a');
    await pushImage(from, repo, tag, await buildImage({ layers: [layer] }));
    const { url } = await startServe(t);
    const proxy = await startFaultProxy(t, url);
    proxy.fail({ status: 429, headers: { 'retry-after': '1' }, times: 1, method: 'PUT', path: /blobs\/uploads/ });
    const progress: ProgressEvent[] = [];
    // One at a time, the largest first: the fault is the layer's.
    const { events, result } = transfer({
      from: { registry: from, repo, reference: tag },
      to: { registry: openRemote(t, proxy.url), repo, tags: [tag] },
      parallelBlobs: 1,
      onProgress: (event) => progress.push(event),
    });
    const waits: TransferEvent[] = [];
    for await (const event of events) if (event.type === 'waiting') waits.push(event);
    await result;
    const wait = { reason: `${proxy.host} asks to wait 1 second (429)`, seconds: 1 };
    assert.deepEqual(waits, [{ type: 'waiting', node: layer.descriptor, ...wait }]);
    const { digest } = layer.descriptor;
    assert.deepEqual(
      progress.filter(({ type }) => type === 'waiting'),
      [{ type: 'waiting', digest, ...wait }],
    );
    const states = progress.flatMap((event) => (event.type === 'blob' && event.digest === digest ? [event.state] : []));
    assert.ok(states.includes('stopped'), states.join());
    assert.equal(states.at(-1), 'transferred');
  });
});
