/** What tests of commands that change images look at. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Digest, parseDigest } from '../../../src/model/digest.ts';
import type { ImageView, IndexView, Manifest } from '../../../src/model/manifest/manifest.ts';
import { readConfig } from '../../../src/registry/config.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { app, startPlace } from '../copy/places.ts';

// biome-ignore lint/suspicious/noExplicitAny: documents of any shape
export type Json = any;

/** A registry, and what runs commands on it: they must succeed, and print a digest. */
export async function startChanging(t: TestContext) {
  const place = await startPlace(t);
  const name = `${place.host}/${app}`;
  const run = async (...words: readonly string[]): Promise<{ readonly digest: Digest; readonly stderr: string }> => {
    const { exitCode, stdout, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    return { digest: parseDigest(stdout.trim()), stderr };
  };
  return { ...place, name, run };
}

export async function imageAt(registry: Registry, digest: Digest) {
  const manifest: Manifest = await registry.getManifest(app, digest);
  const view = manifest.view as ImageView;
  assert.equal(view.kind, 'image');
  const config = await readConfig(registry, app, view.config);
  return {
    manifest,
    view,
    config: JSON.parse(Buffer.from(config).toString()) as Json,
    configText: Buffer.from(config).toString(),
    document: JSON.parse(Buffer.from(manifest.bytes).toString()) as Json,
  };
}

export async function indexAt(registry: Registry, digest: Digest) {
  const manifest = await registry.getManifest(app, digest);
  const view = manifest.view as IndexView;
  assert.equal(view.kind, 'index');
  return { manifest, view, document: JSON.parse(Buffer.from(manifest.bytes).toString()) as Json };
}
