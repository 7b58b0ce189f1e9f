import { type Connecting, connecting, type ExtensionKey, pullLimits } from '../registry/extensions.ts';
import type { PingResult, Registry, SignalOption } from '../registry/registry.ts';
import { header, headerLines } from '../transport/http.ts';
import { parseChallenges } from '../wire/challenges.ts';
import { headers as wireHeaders } from '../wire/headers.ts';
import { BlobPusher } from './blob-pusher.ts';
import { BlobReader } from './blob-reader.ts';
import { RemoteClient } from './client.ts';
import { RemoteDeleter } from './deleter.ts';
import { RemoteLister } from './lister.ts';
import { ManifestReader } from './manifest-reader.ts';
import { ManifestWriter } from './manifest-writer.ts';
import type { RemoteOptions } from './options.ts';
import { Referrers } from './referrers.ts';
import { UploadWriter } from './uploads.ts';

/**
 * A registry over HTTP. Sends nothing before the first call.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export function createRemote(options: RemoteOptions): Registry {
  const client = new RemoteClient(options);
  const blobs = new BlobReader(client);
  const manifests = new ManifestReader(client);
  const pusher = new BlobPusher(client, blobs);
  const uploads = new UploadWriter(client, blobs, pusher);
  const referrers = new Referrers(client, manifests);
  const manifestWriter = new ManifestWriter(client, referrers);
  const lister = new RemoteLister(client);
  const deleter = new RemoteDeleter(client, manifests, referrers);
  const { transport } = client;
  const ahead: Connecting = {
    open: (count) => transport.open(count),
    expectMany: () => transport.expectMany(),
  };
  const extensions = new Map<ExtensionKey<unknown>, unknown>([
    [connecting, ahead],
    [pullLimits, { last: () => manifests.pullLimit }],
  ]);
  return {
    name: options.name,
    ping: (opts) => ping(client, opts),
    extension: <T>(key: ExtensionKey<T>) => extensions.get(key) as T | undefined,
    statBlob: (repo, digest, opts) => blobs.statBlob(repo, digest, opts),
    getBlob: (repo, blob, opts) => blobs.getBlob(repo, blob, opts),
    statManifest: (repo, reference, opts) => manifests.statManifest(repo, reference, opts),
    getManifest: (repo, reference, opts) => manifests.getManifest(repo, reference, opts),
    pushBlob: (repo, descriptor, source, opts) => pusher.pushBlob(repo, descriptor, source, opts),
    startUpload: (repo, opts) => uploads.startUpload(repo, opts),
    resumeUpload: (repo, id, opts) => uploads.resumeUpload(repo, id, opts),
    mountBlob: (repo, digest, opts) => uploads.mountBlob(repo, digest, opts),
    pushManifest: (repo, manifest, opts) => manifestWriter.pushManifest(repo, manifest, opts),
    deleteBlob: (repo, digest, opts) => deleter.deleteBlob(repo, digest, opts),
    deleteManifest: (repo, digest, opts) => deleter.deleteManifest(repo, digest, opts),
    deleteTag: (repo, tag, opts) => deleter.deleteTag(repo, tag, opts),
    repositories: (opts) => lister.repositories(opts),
    tags: (repo, opts) => lister.tags(repo, opts),
    referrers: (repo, digest, opts) => referrers.list(repo, digest, opts),
  };
}

async function ping(client: RemoteClient, opts?: SignalOption): Promise<PingResult> {
  const url = client.url({ name: 'base' });
  const response = await client.sendPlain({ method: 'GET', url, scopes: [], persistent: true, signal: opts?.signal });
  if (response.status !== 200 && response.status !== 401) {
    throw await client.error(response, { what: `${client.name} does not answer as a registry`, notFound: 'PROTOCOL' });
  }
  await response.body.discard();
  const apiVersion = header(response.headers, wireHeaders.apiVersion);
  return {
    authorized: response.status === 200,
    challenges: response.status === 401 ? parseChallenges(headerLines(response.headers, 'www-authenticate')) : [],
    ...(apiVersion !== undefined && { apiVersion }),
  };
}
