import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, parseDigest } from '../../../src/model/digest.ts';
import type { NodeOutcome, ProgressEvent, TransferEvent } from '../../../src/model/events.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { ProgressReporter } from '../../../src/model/progress/reporter.ts';
import { ProgressTracker } from '../../../src/model/progress/tracker.ts';

function node(letter: string, size: number): Descriptor {
  const digest: Digest = parseDigest(`sha256:${letter.repeat(64)}`);
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size };
}

const [a, b, config] = [node('a', 1000), node('b', 2000), node('c', 10)];
const found = (each: Descriptor, kind: 'layer' | 'config' = 'layer'): TransferEvent => ({
  type: 'discovered',
  node: each,
  kind,
});
const started = (each: Descriptor, resumedBytes = 0): TransferEvent => ({ type: 'started', node: each, resumedBytes });
const progress = (each: Descriptor, bytes: number): TransferEvent => ({ type: 'progress', node: each, bytes });
const done = (each: Descriptor, outcome: NodeOutcome, kind: 'layer' | 'config' = 'layer'): TransferEvent => ({
  type: 'done',
  node: each,
  kind,
  outcome,
});
const images = (found: number, finished: number, complete = true): TransferEvent => ({
  type: 'images',
  found,
  finished,
  failed: 0,
  complete,
});

function tracked(events: readonly TransferEvent[]): ProgressTracker {
  const tracker = new ProgressTracker(0);
  for (const event of events) tracker.event(event, 0);
  return tracker;
}

describe('a tracker of transfers', () => {
  it('counts blobs, layers and bytes, and existing ones apart from transferred ones', () => {
    const tracker = tracked([
      ...[found(config, 'config'), found(a), found(b), started(config), progress(config, 10)],
      ...[done(config, 'transferred', 'config'), done(a, 'exists'), started(b, 500), progress(b, 1500)],
    ]);
    const { bytesPerSecond: _rate, secondsLeft: _left, elapsedSeconds: _elapsed, ...totals } = tracker.totals(0);
    assert.deepEqual(totals, {
      ...{ blobs: 3, doneBlobs: 2, layers: 2, doneLayers: 1, existingBlobs: 1, existingLayers: 1 },
      ...{ bytes: 10 + 1000 + 1500, totalBytes: 3010, transferredBytes: 10 + 1000, existingBytes: 1000 + 500 },
    });
  });

  it('counts bytes that are sent twice twice as transferred and once as present', () => {
    const tracker = tracked([found(b), started(b), progress(b, 1500), started(b), progress(b, 2000)]);
    const { bytes, transferredBytes, existingBytes } = tracker.totals(0);
    assert.deepEqual(
      { bytes, transferredBytes, existingBytes },
      { bytes: 2000, transferredBytes: 3500, existingBytes: 0 },
    );
  });

  it('knows the state of each blob, and the reason', () => {
    const tracker = new ProgressTracker(0);
    const state = (event: TransferEvent): string | undefined => tracker.event(event, 0)?.state;
    const events: TransferEvent[] = [
      ...[found(a), started(a), progress(a, 10), { type: 'waiting', node: a, reason: 'connection refused' } as const],
      ...[progress(a, 20), progress(a, 1000), done(a, 'transferred')],
    ];
    assert.deepEqual(events.map(state), [
      ...['waiting', 'moving', 'moving', 'stopped', 'moving', 'verifying', 'transferred'],
    ]);
  });

  it('leaves out foreign layers', () => {
    const { totalBytes, doneLayers, layers } = tracked([found(a), found(b), done(b, 'foreign')]).totals(0);
    assert.deepEqual({ totalBytes, doneLayers, layers }, { totalBytes: 1000, doneLayers: 1, layers: 2 });
  });

  it('counts a blob of two transfers once, and shows it with the second one again', () => {
    const tracker = tracked([found(a), found(b), done(a, 'transferred'), done(b, 'transferred'), found(a)]);
    assert.deepEqual(
      [...tracker.blobs].map(({ node: { digest }, state }) => [digest, state]),
      [
        [b.digest, 'transferred'],
        [a.digest, 'waiting'],
      ],
    );
    tracker.event(done(a, 'exists'), 0);
    const { totalBytes, doneBlobs, existingBlobs, bytes } = tracker.totals(0);
    assert.deepEqual(
      { totalBytes, doneBlobs, existingBlobs, bytes },
      { totalBytes: 3000, doneBlobs: 2, existingBlobs: 0, bytes: 3000 },
    );
  });

  it('adds the images of transfers that follow each other', () => {
    const tracker = tracked([images(1, 0), images(1, 1), images(3, 0), images(3, 2)]);
    assert.deepEqual(tracker.images, { found: 4, finished: 3, failed: 0, complete: true });
  });

  it('tells rate and time left from the last seconds, and no time before it can be known', () => {
    const tracker = tracked([found(b)]);
    tracker.event(started(b), 1000);
    for (let ms = 1100; ms <= 4000; ms += 100) tracker.event(progress(b, (ms - 1000) / 10), ms);
    const { bytesPerSecond, secondsLeft } = tracker.totals(4000);
    assert.equal(Math.round(bytesPerSecond), 100);
    assert.equal(secondsLeft, null, 'more may be found');
    tracker.event(images(1, 0), 4000);
    assert.equal(Math.round(tracker.totals(4000).secondsLeft ?? 0), 17);
    // Nothing has come for long.
    assert.equal(tracker.totals(60_000).bytesPerSecond, 0);
    assert.equal(tracker.totals(60_000).secondsLeft, null);
    assert.equal(Math.round(tracker.summary(10_000).bytesPerSecond), 30);
  });

  it('does not exceed the total if a transform makes a blob larger', () => {
    const tracker = tracked([found(a), started(a), progress(a, 1500), progress(a, 1800)]);
    const { bytes, transferredBytes } = tracker.totals(0);
    assert.deepEqual({ bytes, transferredBytes }, { bytes: 1000, transferredBytes: 1800 });
  });
});

describe('progress events', () => {
  it('tell every change of state, and how far it is twice a second', () => {
    const told: ProgressEvent[] = [];
    const reporter = new ProgressReporter('pull', (event) => told.push(event), 0);
    reporter.event({ type: 'resolved', root: config, reference: '1' }, 0);
    reporter.event(found(b), 0);
    reporter.event(started(b), 0);
    for (let ms = 100; ms <= 2000; ms += 100) reporter.event(progress(b, ms), ms);
    reporter.event(done(b, 'transferred'), 2000);
    reporter.end(true, 2000);
    const shown = told.map((event) => (event.type === 'blob' ? `${event.state} ${event.bytes}` : event.type));
    assert.deepEqual(shown, [
      ...['start', 'image', 'waiting 0', 'moving 0', 'moving 500', 'total', 'moving 1000', 'total', 'moving 1500'],
      ...['total', 'verifying 2000', 'total', 'transferred 2000', 'end'],
    ]);
    assert.deepEqual(told[0], { type: 'start', version: 1, action: 'pull' });
  });
});
