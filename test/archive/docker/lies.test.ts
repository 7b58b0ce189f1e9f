import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openImageArchive } from '../../../src/archive/docker-archive.ts';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import type { Tag } from '../../../src/model/reference/reference.ts';
import { read } from '../../contract/contract.ts';
import {
  bytesOf,
  classicSave,
  craneSave,
  json,
  layoutEntries,
  namedIndex,
} from '../../support/archives/docker-saves.ts';
import type { RawEntry } from '../../support/archives/tar.ts';
import { buildLayer } from '../../support/layer.ts';
import { imageOf, openTar, refusal } from './opened.ts';

describe('a manifest.json that lies', () => {
  const save = async (change: (entry: RawEntry) => RawEntry): Promise<RawEntry[]> => {
    const image = await imageOf(['a', 'b'], 'gzip');
    return (await craneSave({ image, names: ['app:1'] })).map(change);
  };

  it('is found where a compressed layer is not what the config says', async (t) => {
    const other = await buildLayer({ files: { evil: 'x' } });
    const content = await bytesOf(other);
    const entries = await save((entry) => (entry.name.endsWith('.tar.gz') ? { ...entry, content } : entry));
    const archive = await openTar(t, entries);
    const { view } = await archive.registry.getManifest(repo, 'app:1' as Tag);
    assert.ok(view.kind === 'image' && view.layers[0]);
    const reading = archive.registry.getBlob(repo, view.layers[0]);
    await assert.rejects(reading, refusal('DIGEST_MISMATCH', /unpacks to sha256:\w+, but the config says sha256:/));
  });

  it('is found where an uncompressed layer is not what the config says', async (t) => {
    const image = await imageOf(['a']);
    const entries = (await classicSave([{ image, names: ['app:1'] }])).map((entry) =>
      entry.name.endsWith('layer.tar') ? { ...entry, content: Buffer.alloc(2048, 'x') } : entry,
    );
    const archive = await openTar(t, entries);
    const { view } = await archive.registry.getManifest(repo, 'app:1' as Tag);
    assert.ok(view.kind === 'image' && view.layers[0]);
    const content = await archive.registry.getBlob(repo, view.layers[0]);
    await assert.rejects(read(content), refusal('DIGEST_MISMATCH', /is damaged in docker-archive:x.tar/));
  });

  it('is found where the config is not what its name says, or has other layers', async (t) => {
    const isConfig = ({ name }: RawEntry): boolean => name.startsWith('sha256:');
    const wrong = await save((entry) => (isConfig(entry) ? { ...entry, content: '{}' } : entry));
    await assert.rejects(openTar(t, wrong), refusal('DIGEST_MISMATCH', /, not what its name says$/));
    const fewer = await save((entry) =>
      entry.name === 'manifest.json'
        ? { ...entry, content: String(entry.content).replace(/"Layers":\["[^"]+",/, '"Layers":[') }
        : entry,
    );
    await assert.rejects(openTar(t, fewer), refusal('ARCHIVE_INVALID', /manifest.json has 1 layers for 2 in/));
  });
});

describe('an archive that is not one of Docker', () => {
  it('is refused with what it is', async (t) => {
    const image = await imageOf(['a']);
    const layout = [...(await layoutEntries([image])), namedIndex([{ image, names: ['app:1'] }])];
    await assert.rejects(openTar(t, layout), refusal('ARCHIVE_INVALID', /is not an archive of Docker/));
    assert.equal((await openTar(t, layout, openImageArchive)).images.length, 1);
    const nothing: readonly RawEntry[] = [{ name: 'etc/passwd', content: 'root' }];
    await assert.rejects(openTar(t, nothing, openImageArchive), refusal('ARCHIVE_INVALID', /holds no images/));
    const old = [json('repositories', {})];
    await assert.rejects(openTar(t, old), refusal('ARCHIVE_INVALID', /written by a Docker older than 1\.10/));
  });

  it('is refused if its manifest.json is malformed, with the place of the fault', async (t) => {
    const cases: readonly (readonly [content: string, message: RegExp])[] = [
      ['not JSON', /manifest\.json in .*x\.tar: it is not JSON$/],
      ['{}', /the document must be a list$/],
      ['[1]', /\[0\] must be an object$/],
      ['[{"Config":1}]', /\[0\]\.Config must be a string$/],
      ['[{"Config":"../x","Layers":[]}]', /\[0\]\.Config is no file in the archive: "\.\.\/x"$/],
      ['[{"Config":"x","RepoTags":[1],"Layers":[]}]', /\[0\]\.RepoTags\[0\] must be a string$/],
      ['[{"Config":"x","Layers":["/x"]}]', /\[0\]\.Layers\[0\] is no file in the archive: "\/x"$/],
      ['[{"Config":"x","Layers":[]}]', /is not complete: it lacks x$/],
    ];
    for (const [content, message] of cases) {
      await assert.rejects(openTar(t, [{ name: 'manifest.json', content }]), refusal('ARCHIVE_INVALID', message));
    }
    assert.deepEqual((await openTar(t, [{ name: 'manifest.json', content: '[]' }])).images, []);
  });
});
