/** Checks every byte of an image in any kind of place, without using the code that wrote it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseReference, toStoreName } from '../../../src/model/reference/reference.ts';
import { type Built, blobsIn } from '../images.ts';

/** A place with an image, and how to read its bytes. */
export interface WalkedPlace {
  /** The bytes of a manifest by tag or digest. */
  manifest(reference: string): Promise<Uint8Array>;
  blob(digest: string): Promise<Uint8Array>;
}

/** A repository behind the distribution API. */
export function servedAt(url: string, repository: string): WalkedPlace {
  const get = async (path: string): Promise<Uint8Array> => {
    const response = await fetch(`${url}/v2/${repository}/${path}`, { headers: { accept: accepted } });
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return { manifest: (reference) => get(`manifests/${reference}`), blob: (digest) => get(`blobs/${digest}`) };
}

/** An OCI layout. */
export function layoutAt(directory: string): WalkedPlace {
  const blob = (digest: string): Promise<Uint8Array> => readFile(join(directory, 'blobs', ...digest.split(':')));
  return {
    blob,
    async manifest(reference) {
      if (reference.includes(':')) return blob(reference);
      const index = parse(await readFile(join(directory, 'index.json')));
      const entry = index.manifests?.find((each) => each.annotations?.[refName] === reference);
      assert.ok(entry, `${reference} is not in index.json`);
      return blob(entry.digest);
    },
  };
}

/** A repository of the local store, which has distribution's format. @param name A reference; its tag is ignored. */
export function storeAt(root: string, name: string): WalkedPlace {
  const v2 = join(root, 'docker/registry/v2');
  const manifests = join(v2, 'repositories', toStoreName(parseReference(name)), '_manifests');
  const blob = (digest: string): Promise<Uint8Array> => {
    const [algorithm = '', hex = ''] = digest.split(':');
    return readFile(join(v2, 'blobs', algorithm, hex.slice(0, 2), hex, 'data'));
  };
  return {
    blob,
    async manifest(reference) {
      const at = reference.includes(':') ? ['revisions', ...reference.split(':')] : ['tags', reference, 'current'];
      return blob((await readFile(join(manifests, ...at, 'link'), 'utf8')).trim());
    },
  };
}

/** The output of skopeo for `dir:`, where the image has no name. */
export function skopeoDirectoryAt(directory: string): WalkedPlace {
  const hexOf = (digest: string): string => digest.split(':')[1] ?? '';
  return {
    blob: (digest) => readFile(join(directory, hexOf(digest))),
    manifest: (reference) =>
      readFile(join(directory, reference.includes(':') ? `${hexOf(reference)}.manifest.json` : 'manifest.json')),
  };
}

/** Asserts that a tag points at what was built, that all of it is there, and that every byte is unchanged. */
export async function assertSame(place: WalkedPlace, tag: string, built: Built): Promise<void> {
  const root = await place.manifest(tag);
  assert.equal(Buffer.from(root).toString(), Buffer.from(built.manifest.bytes).toString());
  assert.deepEqual(await walk(place, root), digestsOf(built));
}

/** The digests of everything that a manifest leads to, including its own, sorted. */
async function walk(place: WalkedPlace, root: Uint8Array): Promise<readonly string[]> {
  const seen = new Map([[sha256(root), root.length]]);
  const look = async (entry: Entry, bytes: Uint8Array): Promise<void> => {
    assert.equal(sha256(bytes), entry.digest);
    assert.equal(bytes.length, entry.size, entry.digest);
    seen.set(entry.digest, bytes.length);
  };
  const visit = async ({ manifests = [], config, layers = [] }: Document): Promise<void> => {
    for (const entry of manifests) {
      const bytes = await place.manifest(entry.digest);
      await look(entry, bytes);
      await visit(parse(bytes));
    }
    for (const entry of config ? [config, ...layers] : layers) await look(entry, await place.blob(entry.digest));
  };
  await visit(parse(root));
  return [...seen.keys()].sort();
}

function digestsOf(built: Built): readonly string[] {
  const manifests = ({ descriptor, children }: Built): string[] => [descriptor.digest, ...children.flatMap(manifests)];
  const blobs = blobsIn(built).map(({ descriptor }) => descriptor.digest);
  return [...new Set([...manifests(built), ...blobs])].sort();
}

interface Entry {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Document {
  readonly manifests?: readonly Entry[];
  readonly config?: Entry;
  readonly layers?: readonly Entry[];
}

function parse(bytes: Uint8Array): Document {
  return JSON.parse(Buffer.from(bytes).toString()) as Document;
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const refName = 'org.opencontainers.image.ref.name';
const accepted = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
