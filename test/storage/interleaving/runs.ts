/** How the operations of pairs.ts run: each with a registry of its own, as in another process. */
import { listImages } from '../../../src/local-store/list.ts';
import { removeImage } from '../../../src/local-store/remove.ts';
import type { StoreName } from '../../../src/model/reference/reference.ts';
import { bytesSource, readContent } from '../../../src/registry/content.ts';
import { garbageCollector, leases, repositoryRemover, uploadSweeper } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { transfer } from '../../../src/transfer/transfer.ts';
import { all } from '../stores.ts';
import type { OperationName } from './pairs.ts';
import { blobs, fresh, type Image, images, one, pushWhole, remote, repos } from './world.ts';

const { app, other } = repos;
const { x, y, z, o, u, n, s, t } = images;
const [, layerOfZ] = z.blobs;

/** @param waiting Called when it waits for something that the other operation holds. */
type Run = (registry: Registry, waiting: () => void) => Promise<unknown>;

export const runs: Readonly<Record<OperationName, Run>> = {
  'push a tag': (registry) => registry.pushManifest(app, x.raw, { tags: [fresh] }),
  async 'push by digest, then with a tag'(registry) {
    await registry.pushManifest(app, x.raw);
    await registry.pushManifest(app, x.raw, { tags: [fresh] });
  },
  retag: (registry) => registry.pushManifest(app, y.raw, { tags: [one] }),
  'push a manifest': (registry) => registry.pushManifest(app, z.raw, { tags: [one] }),
  'push an untyped manifest': (registry) => registry.pushManifest(app, o.raw),
  'push a referrer': (registry) => registry.pushManifest(app, t.raw),
  'push an image': (registry) => pushWhole(registry, app, n, [one]),
  async 'push an image by mounts'(registry) {
    for (const { descriptor, bytes } of u.blobs) {
      const mounted = await registry.mountBlob(app, descriptor.digest, { from: other });
      if (!('commit' in mounted)) continue;
      await mounted.write(bytes);
      await mounted.commit({ digest: descriptor.digest });
    }
    await registry.pushManifest(app, u.raw, { tags: [fresh] });
  },
  pull: (registry) => bring(remote, x, { registry, repo: app }),
  'pull what is not there': (registry) => bring(remote, n, { registry, repo: app }),
  'pull an index': (registry) => bring(remote, images.j, { registry, repo: app }),
  tag: (registry) => bring(registry, x, { registry, repo: app }),
  'tag into another repository': (registry) => bring(registry, x, { registry, repo: other }),
  'delete a manifest': (registry) => registry.deleteManifest(app, x.descriptor.digest),
  'delete an untyped manifest': (registry) => registry.deleteManifest(app, o.descriptor.digest),
  'delete a referrer': (registry) => registry.deleteManifest(app, s.descriptor.digest),
  async 'retag, then delete the old manifest'(registry) {
    await registry.pushManifest(app, y.raw, { tags: [one] });
    await registry.deleteManifest(app, x.descriptor.digest);
  },
  'delete a tag': (registry) => registry.deleteTag(app, one),
  'delete a blob': (registry) => registry.deleteBlob(app, (layerOfZ ?? blobs.loose).descriptor.digest),
  'remove a repository': async (registry) => await registry.extension(repositoryRemover)?.removeRepository(app),
  rmi: (registry) => removeImage(registry, 'example.com/app:one', { force: true }),
  'rmi of a digest': (registry) => removeImage(registry, `example.com/app@${x.descriptor.digest}`, { force: true }),
  'rmi of an index': (registry) => removeImage(registry, 'example.com/app:two', { force: true }),
  'mount a blob': (registry) => registry.mountBlob(app, blobs.loose.descriptor.digest, { from: other }),
  async 'upload a blob'(registry) {
    await using writer = await registry.startUpload(app);
    await writer.write(blobs.small.bytes);
    await writer.commit(blobs.small.descriptor);
  },
  async 'upload a blob in two requests'(registry) {
    const { bytes, descriptor } = blobs.large;
    const begun = await registry.startUpload(app);
    await begun.write(bytes.subarray(0, 200_000));
    await begun[Symbol.asyncDispose]();
    await using writer = await registry.resumeUpload(app, begun.id);
    await writer.write(bytes.subarray(200_000));
    await writer.commit(descriptor);
  },
  async 'download a blob'(registry, onWait) {
    const { bytes, descriptor } = blobs.large;
    await registry.pushBlob(app, descriptor, bytesSource(descriptor, bytes), { onWait });
  },
  collect: async (registry) => await registry.extension(garbageCollector)?.collect(),
  prune: async (registry) => await registry.extension(garbageCollector)?.collect({ untagged: true }),
  async 'delete a tag, then prune'(registry) {
    await registry.deleteTag(app, one);
    await registry.extension(garbageCollector)?.collect({ untagged: true });
  },
  'purge uploads': async (registry) => await registry.extension(uploadSweeper)?.sweepUploads({ idleMs: -1_000 }),
  'read a tag': (registry) => registry.getManifest(app, one),
  async 'read an image by its digest'(registry) {
    const { view } = await registry.getManifest(app, x.descriptor.digest);
    for (const { descriptor } of x.blobs) await readContent(await registry.getBlob(app, descriptor), 1_000);
    return view;
  },
  'list tags': (registry) => all(registry.tags(app)),
  'list referrers': (registry) => all(registry.referrers(app, x.descriptor.digest)),
  'list images': (registry) => all(listImages(registry)),
};

/** As in pull and tag: under a lease, with the image chosen by its digest. */
async function bring(
  registry: Registry,
  { descriptor }: Image,
  to: { readonly registry: Registry; readonly repo: StoreName },
): Promise<void> {
  await using _lease = await to.registry.extension(leases)?.lease();
  await transfer({
    from: { registry, repo: app, reference: descriptor.digest, sparse: true },
    to: { ...to, sparse: true, tags: [fresh] },
  }).result;
}
