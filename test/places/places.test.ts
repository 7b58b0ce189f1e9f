import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository, openLayout } from '../../src/layout/layout.ts';
import { isOciError, OciError } from '../../src/model/errors.ts';
import { parseReference, parseTag, toStoreName } from '../../src/model/reference/reference.ts';
import { openPlace } from '../../src/places/open-place.ts';
import type { PlaceSources } from '../../src/places/place.ts';
import { imageHelp, isReference, kindOf, otherRepositoriesHelp, sidesHelp } from '../../src/places/places.ts';
import { imageFor } from '../commands/copy/places.ts';
import { pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const [one, two] = [parseTag('1'), parseTag('2')];

function sourcesFor(store = memoryRegistry({ sparseIndexes: true })): PlaceSources {
  return {
    signal: new AbortController().signal,
    remote: async () => memoryRegistry(),
    store: async () => store,
    stdin: () => process.stdin,
    stdout: () => ({ write: async () => {} }),
    platform: async () => ({ os: 'linux', architecture: 'amd64' }),
    note: () => {},
    dockerDaemon: async () => assert.fail('no daemon is asked for'),
    imageName: async (word) => (word === 'short' ? 'registry.example.com/long' : word),
  };
}

describe('the kinds of places', () => {
  it('are distinguished by their prefixes; a word without one is a reference', () => {
    for (const [word, prefix] of [
      ['oci:dir', 'oci:'],
      ['oci-archive:file', 'oci-archive:'],
      ['store:app', 'store:'],
      ['alpine:3', ''],
      ['docker.io/library/oci:dir', ''],
      ['localhost:5000/store:1', ''],
    ] as const) {
      assert.equal(kindOf(word).prefix, prefix, word);
      assert.equal(isReference(word), prefix === '', word);
    }
  });

  it('stand in help as they are written', () => {
    assert.equal(
      imageHelp('REF'),
      'REF is an image in a registry, oci:DIR[:TAG] for an OCI layout, oci-archive:FILE[:TAG] or ' +
        'docker-archive:FILE[:TAG] for an archive, dir:DIR for a directory of skopeo, ' +
        'docker-daemon:NAME for an image of the Docker daemon, or store:NAME for an image of the local store.',
    );
    assert.match(sidesHelp(), /^registry references, OCI layouts \(oci:DIR\[:TAG\]\), .+ and the local store \(/);
    assert.equal(
      otherRepositoriesHelp(),
      'layouts (oci:DIR), archives (oci-archive:FILE, docker-archive:FILE), directories of skopeo (dir:DIR), ' +
        'the Docker daemon (docker-daemon:NAME) and the local store (store:NAME)',
    );
  });
});

describe('a place', () => {
  it('is named as it was written, in full, and at another tag', async (t) => {
    const directory = join(await temporaryDirectory(t), 'dir');
    for (const [word, name, fullName, atTwo] of [
      ['app', 'app:latest', 'docker.io/library/app:latest', 'app:2'],
      ['store:app', 'store:app:latest', 'store:docker.io/library/app:latest', 'store:app:2'],
      [`oci:${directory}`, `oci:${directory}`, `oci:${directory}:latest`, `oci:${directory}:2`],
    ] as const) {
      const place = await openPlace(word, 'destination', sourcesFor());
      assert.deepEqual([place.named, place.tag, place.name, place.fullName], [false, 'latest', name, fullName]);
      const other = place.at(two);
      assert.deepEqual([other.named, other.tag, other.reference, other.name], [true, two, two, atTwo]);
      assert.equal(other.fullName, fullName.replace('latest', '2'));
      assert.notEqual(other.identity, place.identity);
      assert.equal(other.repository, place.repository);
    }
  });

  it('is the same under every name that it has', async (t) => {
    const directory = await temporaryDirectory(t);
    const pairs = [
      ['app', 'docker.io/library/app:latest'],
      ['store:app:latest', 'store:docker.io/library/app'],
      [`oci:${directory}`, `oci:${directory}/../${directory.split('/').at(-1)}:latest`],
    ] as const;
    for (const [word, same] of pairs) {
      const place = await openPlace(word, 'destination', sourcesFor());
      assert.equal((await openPlace(same, 'destination', sourcesFor())).identity, place.identity, word);
    }
  });

  it('in a registry is read under the full name of a short one, and written as it stands', async () => {
    assert.equal((await openPlace('short', 'source', sourcesFor())).fullName, 'registry.example.com/long:latest');
    assert.equal((await openPlace('short', 'destination', sourcesFor())).fullName, 'docker.io/library/short:latest');
  });

  it('finds the repository to mount from: in the same registry, or by what the store pulled from there', async (t) => {
    const store = memoryRegistry({ sparseIndexes: true });
    const image = await imageFor('amd64');
    await pushImage(store, toStoreName(parseReference('host.example/base')), one, image);
    const sources = sourcesFor(store);
    const { hosted: target } = await openPlace('host.example/app', 'destination', sources);
    assert.ok(target);
    assert.equal(await (await openPlace('host.example/other', 'source', sources)).mountFrom(target), 'other');
    assert.equal(await (await openPlace('elsewhere.example/x', 'source', sources)).mountFrom(target), undefined);
    const inStore = await openPlace('store:host.example/base:1', 'source', sources);
    assert.equal(inStore.hosted, undefined);
    const holder = await inStore.mountFrom(target);
    const [blob] = image.blobs;
    assert.ok(typeof holder === 'function' && blob);
    assert.equal(await holder(blob.descriptor.digest), 'base');
    const layout = await openPlace(`oci:${await temporaryDirectory(t)}`, 'destination', sources);
    assert.equal(await layout.mountFrom(target), undefined);
  });

  it("of the store reports missing images in Docker's words, and is removed by rmi alone", async () => {
    const unknown = new OciError('MANIFEST_UNKNOWN', 'x');
    const place = await openPlace('store:app', 'source', sourcesFor());
    assert.ok(isOciError(place.explain(unknown), 'IMAGE_UNKNOWN'));
    assert.equal((await openPlace('app', 'source', sourcesFor())).explain(unknown), unknown);
    await assert.rejects(
      openPlace('store:app:1', 'removal', sourcesFor()),
      (error) => isOciError(error, 'USAGE') && error.hint === 'remove it with ocictl rmi app:1',
    );
  });

  it('that is a new layout goes when it is let go empty and unfinished, and else it stays', async (t) => {
    const directory = join(await temporaryDirectory(t), 'a', 'b');
    const isThere = (): Promise<boolean> =>
      openLayout({ directory, readOnly: true }).then(
        () => true,
        () => false,
      );
    const open = () => openPlace(`oci:${directory}:1`, 'destination', sourcesFor());
    {
      await using _place = await open();
      assert.ok(await isThere());
    }
    assert.ok(!(await isThere()));
    {
      await using place = await open();
      await place.finish();
    }
    assert.ok(await isThere());
    {
      await using place = await open();
      await pushImage(place.registry, layoutRepository, one, await imageFor('amd64'));
    }
    assert.ok(await isThere());
  });

  it('that others began to fill stays, though it was made by who fails', async (t) => {
    const directory = join(await temporaryDirectory(t), 'dir');
    const image = await imageFor('amd64');
    {
      await using _place = await openPlace(`oci:${directory}:1`, 'destination', sourcesFor());
      const other = await openPlace(`oci:${directory}:2`, 'destination', sourcesFor());
      const [blob] = image.blobs;
      assert.ok(blob);
      await other.registry.pushBlob(layoutRepository, blob.descriptor, blob.source);
    }
    const registry = await openLayout({ directory });
    await pushImage(registry, layoutRepository, two, image);
  });
});
