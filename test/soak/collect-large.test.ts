import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type Digest, parseDigest } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { blobPath, layerLinkPath, revisionLinkPath, tagCurrentPath } from '../../src/storage/paths.ts';
import { watchUse } from '../large/process-use.ts';
import { spawnOcictl } from '../support/command.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { storedBlobs } from './bars.ts';

const imagesPerRepository = 9;
const layersPerImage = 8;
/** Of each repository: manifests, configs, layers, and as many blobs without a manifest as an image has. */
const blobsPerRepository = (imagesPerRepository + 1) * (layersPerImage + 2);
const loosePerRepository = layersPerImage + 2;
const usual = 100_000;
const limitMs = 60_000;
const limitBytes = 250_000_000;

/** Writes the files of a store as they lie: through a registry it would take many times as long. */
function fill(root: string, repositories: number): void {
  const write = (path: string, bytes: string): void => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  };
  const blob = (bytes: string): { readonly digest: Digest; readonly size: number } => {
    const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    write(blobPath(digest), bytes);
    return { digest, size: bytes.length };
  };
  for (let nth = 0; nth < repositories; nth += 1) {
    const repo = parseRepositoryName(`team-${nth % 100}/app-${nth}`);
    const linked = (bytes: string) => {
      const made = blob(bytes);
      write(layerLinkPath(repo, made.digest), made.digest);
      return made;
    };
    for (let image = 0; image < imagesPerRepository; image += 1) {
      const config = { mediaType: mediaTypes.ociEmpty, ...linked(`config ${nth} ${image}`) };
      const layers = Array.from({ length: layersPerImage }, (_, layer) => {
        return { mediaType: mediaTypes.ociLayerGzip, ...linked(`layer ${nth} ${image} ${layer}`) };
      });
      const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
      const { digest } = blob(JSON.stringify(document));
      write(revisionLinkPath(repo, digest), digest);
      write(tagCurrentPath(repo, parseTag(`v${image}`)), digest);
    }
    for (let loose = 0; loose < loosePerRepository; loose += 1) linked(`loose ${nth} ${loose}`);
  }
}

describe('a collection of a large store', {
  skip: process.platform !== 'linux' && 'reads /proc',
  // To write a million files of blobs may take half an hour by itself.
  timeout: 1_200_000 + storedBlobs * 5,
}, () => {
  it(`of ${storedBlobs} blobs takes at most 60 s of a processor and 250 MB, and removes what no manifest names`, async (t) => {
    const root = await temporaryDirectory(t);
    const repositories = Math.ceil(storedBlobs / blobsPerRepository);
    fill(root, repositories);
    for (const [run, freed] of [
      ['first', repositories * loosePerRepository],
      ['second', 0],
    ] as const) {
      const running = await spawnOcictl(t, ['storage', 'gc', '--root', root, '--grace', '0', '-v'], {
        timeoutMs: 1_200_000 + storedBlobs * 5,
      });
      const { peak, processorMs } = await watchUse(running);
      const { exitCode, stderr } = await running.result;
      t.diagnostic(`the ${run} took ${(processorMs / 1000).toFixed(1)} s and ${Math.round(peak / 1e6)} MB`);
      assert.equal(exitCode, 0, stderr);
      if (freed > 0) assert.match(stderr, new RegExp(`removed ${freed} blobs`));
      else assert.doesNotMatch(stderr, /removed/);
      assert.ok(peak <= limitBytes, `${peak} bytes`);
      if (storedBlobs <= usual) assert.ok(processorMs <= limitMs, `${processorMs} ms`);
    }
  });
});
