import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { parseDescriptor } from '../../../src/model/manifest/descriptor.ts';
import {
  blobsOf,
  childrenOf,
  detectMediaType,
  type ManifestView,
  parseManifest,
  readManifest,
  schema1Refused,
} from '../../../src/model/manifest/manifest.ts';
import { isForeignLayerType, isManifestType, mediaTypes } from '../../../src/model/manifest/media-types.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const config = { mediaType: mediaTypes.ociConfig, digest: digest('c'), size: 2 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digest('1'), size: 10 };
const child = {
  mediaType: mediaTypes.ociManifest,
  digest: digest('a'),
  size: 5,
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
};
const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };

function parse(document: unknown, mediaType: string = mediaTypes.ociManifest): ManifestView {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  return parseManifest({ mediaType, bytes: Buffer.from(text) });
}

function refused(document: unknown, mediaType: string, reason: RegExp): void {
  assert.throws(
    () => parse(document, mediaType),
    (error) => {
      assert.ok(isOciError(error, 'MANIFEST_INVALID'), String(error));
      assert.match(error.message, reason);
      assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u);
      assert.ok(error.message.length < 500);
      return true;
    },
  );
}

describe('looking into a manifest', () => {
  it('an image has a config and layers', () => {
    for (const mediaType of [mediaTypes.ociManifest, mediaTypes.dockerManifest]) {
      const view = parse({ ...image, mediaType }, `${mediaType}; charset=utf-8`);
      assert.deepEqual(view, { kind: 'image', annotations: {}, config, layers: [layer] });
      assert.deepEqual(blobsOf(view), [config, layer]);
      assert.deepEqual(childrenOf(view), []);
    }
  });

  it('an index has manifests with platforms, and may be nested', () => {
    const nested = { mediaType: mediaTypes.ociIndex, digest: digest('b'), size: 7 };
    for (const mediaType of [mediaTypes.ociIndex, mediaTypes.dockerList]) {
      const view = parse({ schemaVersion: 2, manifests: [child, nested] }, mediaType);
      assert.deepEqual(view, { kind: 'index', annotations: {}, manifests: [child, nested] });
      assert.deepEqual(childrenOf(view), [child, nested]);
      assert.deepEqual(blobsOf(view), []);
    }
  });

  it('an artifact manifest has blobs, a subject and a type', () => {
    const document = {
      mediaType: mediaTypes.ociArtifact,
      artifactType: 'a/b',
      blobs: [layer],
      subject: child,
      annotations: { k: 'v' },
    };
    const view = parse(document, mediaTypes.ociArtifact);
    assert.deepEqual(view, {
      kind: 'artifact',
      artifactType: 'a/b',
      blobs: [layer],
      subject: child,
      annotations: { k: 'v' },
    });
    assert.deepEqual(blobsOf(view), [layer]);
    assert.deepEqual(blobsOf(parse({ mediaType: mediaTypes.ociArtifact }, mediaTypes.ociArtifact)), []);
  });

  it('null, as Go writes it, stands for an empty list, no annotations and no subject', () => {
    const view = parse({ ...image, layers: null, annotations: null, subject: null });
    assert.deepEqual(view, { kind: 'image', annotations: {}, config, layers: [] });
    assert.deepEqual(childrenOf(parse({ ...index, manifests: null }, mediaTypes.ociIndex)), []);
    const nulls = { ...config, urls: null, annotations: null, data: null, platform: null };
    assert.deepEqual(parse({ ...image, config: nulls }), { ...parse(image), config: { ...config, urls: [] } });
  });

  it('schema 1 is recognised and has a clear refusal', () => {
    for (const mediaType of [mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed]) {
      assert.deepEqual(parse({ schemaVersion: 1, fsLayers: [] }, mediaType), { kind: 'schema1', annotations: {} });
    }
    const error = schema1Refused('old:1');
    assert.equal(error.code, 'UNSUPPORTED');
    assert.match(error.message, /^old:1 is in Docker's image format schema 1/);
  });

  it('passes a manifest of an unknown type on without parsing it', () => {
    assert.deepEqual(parse('not json', 'application/x-thing'), { kind: 'other', annotations: {} });
  });

  it('every field of a descriptor is kept', () => {
    const full = {
      ...layer,
      urls: ['https://example.com/x'],
      annotations: { a: 'b' },
      data: 'e30=',
      artifactType: 'x/y',
    };
    assert.deepEqual(parseDescriptor(full, 'd'), full);
    const windows = { os: 'windows', architecture: 'amd64', 'os.version': '10.0', 'os.features': ['win32k'] };
    assert.deepEqual(parseDescriptor({ ...layer, platform: windows }, 'd').platform, {
      os: 'windows',
      architecture: 'amd64',
      osVersion: '10.0',
      osFeatures: ['win32k'],
    });
  });

  it('an annotation named __proto__ is a name like any other', () => {
    const view = parse(`{"config":${JSON.stringify(config)},"layers":[],"annotations":{"__proto__":"x"}}`);
    assert.deepEqual(Object.entries(view.annotations), [['__proto__', 'x']]);
    assert.equal(Object.getPrototypeOf(view.annotations), Object.prototype);
  });
});

describe('a manifest that is refused', () => {
  const refusals: readonly (readonly [what: string, document: unknown, mediaType: string, reason: RegExp])[] = [
    ['is no JSON', '{', mediaTypes.ociManifest, /it is not JSON/],
    ['is empty', '', mediaTypes.ociManifest, /it is not JSON/],
    ['is a list', [], mediaTypes.ociManifest, /the document must be an object/],
    ['is null', 'null', mediaTypes.ociIndex, /the document must be an object/],
    ['is schema 1 by type but no JSON', '<html>', mediaTypes.dockerSchema1, /it is not JSON/],
    ['is an image and an index at once', { ...image, manifests: [child] }, mediaTypes.ociManifest, /CVE-2021-41190/],
    ['is an index with layers', { ...index, layers: [] }, mediaTypes.ociIndex, /CVE-2021-41190/],
    ['is an index with fsLayers', { ...index, fsLayers: [] }, mediaTypes.ociIndex, /CVE-2021-41190/],
    ['is ambiguous with null', { ...image, manifests: null }, mediaTypes.ociManifest, /CVE-2021-41190/],
    [
      'says another type',
      index,
      mediaTypes.ociManifest,
      /it says mediaType "application.*index.* but was sent as .*manifest/,
    ],
    ['says OCI but was sent as Docker', image, mediaTypes.dockerManifest, /says mediaType/],
    ['has a type that is no text', { ...image, mediaType: 7 }, mediaTypes.ociManifest, /says mediaType "7"/],
    [
      'has a hostile type',
      { ...image, mediaType: `\u001b\u009b\u202e${'x'.repeat(9999)}` },
      mediaTypes.ociManifest,
      /says mediaType/,
    ],
    ['has no config', { layers: [] }, mediaTypes.ociManifest, /config must be an object/],
    ['has no layers', { config }, mediaTypes.ociManifest, /layers must be a list/],
    ['has no manifests', { schemaVersion: 2 }, mediaTypes.ociIndex, /manifests must be a list/],
    ['has manifests that are no list', { manifests: {} }, mediaTypes.ociIndex, /manifests must be a list/],
    ['has a null layer', { ...image, layers: [null] }, mediaTypes.ociManifest, /layers\[0\] must be an object/],
    [
      'has a layer without a type',
      { ...image, layers: [{ ...layer, mediaType: undefined }] },
      mediaTypes.ociManifest,
      /layers\[0\]\.mediaType/,
    ],
    [
      'has a layer without a digest',
      { ...image, layers: [layer, { ...layer, digest: undefined }] },
      mediaTypes.ociManifest,
      /layers\[1\]\.digest must be a string/,
    ],
    [
      'has a digest that leaves the store',
      { ...image, config: { ...config, digest: 'sha256:../../x' } },
      mediaTypes.ociManifest,
      /config\.digest invalid digest format/,
    ],
    [
      'has a size of text',
      { ...image, config: { ...config, size: '2' } },
      mediaTypes.ociManifest,
      /config\.size must be a whole number/,
    ],
    ['has no size', { ...image, config: { ...config, size: undefined } }, mediaTypes.ociManifest, /config\.size/],
    ['has a negative size', { ...image, config: { ...config, size: -1 } }, mediaTypes.ociManifest, /config\.size/],
    ['has a fractional size', { ...image, config: { ...config, size: 1.5 } }, mediaTypes.ociManifest, /config\.size/],
    [
      'has a size past 2^53',
      { ...image, config: { ...config, size: 2 ** 53 } },
      mediaTypes.ociManifest,
      /config\.size/,
    ],
    [
      'has a size of infinity',
      JSON.stringify(image).replace('"size":2', '"size":1e999'),
      mediaTypes.ociManifest,
      /config\.size/,
    ],
    [
      'has annotations that are no text',
      { ...image, annotations: { '\u001b\u202ek': 1 } },
      mediaTypes.ociManifest,
      /annotations\["\\u001b\\u\{202e\}k"\] must be a string/,
    ],
    ['has a subject that is text', { ...image, subject: 'x' }, mediaTypes.ociManifest, /subject must be an object/],
    [
      'has urls that are no list',
      { ...image, config: { ...config, urls: 'x' } },
      mediaTypes.ociManifest,
      /config\.urls must be a list/,
    ],
    [
      'has a platform that is text',
      { ...index, manifests: [{ ...child, platform: 'linux' }] },
      mediaTypes.ociIndex,
      /manifests\[0\]\.platform must be an object/,
    ],
    [
      'has an artifact blob without a size',
      { blobs: [{ ...layer, size: null }] },
      mediaTypes.ociArtifact,
      /blobs\[0\]\.size/,
    ],
  ];
  for (const [what, document, mediaType, reason] of refusals) {
    it(what, () => refused(document, mediaType, reason));
  }

  it('is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    assert.throws(() => parseManifest({ mediaType: mediaTypes.ociManifest, bytes }), /it is not JSON/);
  });

  it('nests a million lists deep', () => {
    refused('['.repeat(1_000_000), mediaTypes.ociManifest, /nested deeper than 200 levels/);
    refused(
      `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`,
      mediaTypes.ociManifest,
      /nested deeper than 200 levels/,
    );
  });
});

describe('the type of a manifest that came without one', () => {
  const cases: readonly (readonly [document: unknown, mediaType: string])[] = [
    [{ ...image, mediaType: mediaTypes.dockerManifest }, mediaTypes.dockerManifest],
    [{ ...image, mediaType: `${mediaTypes.ociManifest}; q=1` }, mediaTypes.ociManifest],
    [{ config, layers: [] }, mediaTypes.ociManifest],
    [{ mediaType: '', config, layers: [] }, mediaTypes.ociManifest],
    [{ layers: [] }, mediaTypes.ociManifest],
    [{ manifests: [] }, mediaTypes.ociIndex],
    [{ schemaVersion: 1, fsLayers: [] }, mediaTypes.dockerSchema1],
    [{ schemaVersion: 1, signatures: [] }, mediaTypes.dockerSchema1Signed],
  ];
  for (const [document, mediaType] of cases) {
    it(`${JSON.stringify(document).slice(0, 50)} is ${mediaType}`, () => {
      assert.equal(detectMediaType(Buffer.from(JSON.stringify(document))), mediaType);
    });
  }

  it('cannot be told of a document that says nothing', () => {
    for (const text of ['{}', '[]', 'x']) {
      assert.throws(
        () => detectMediaType(Buffer.from(text)),
        (error) => isOciError(error, 'MANIFEST_INVALID'),
      );
    }
  });
});

describe('completing a manifest', () => {
  it('keeps the bytes and says their digest, size and bare type', async () => {
    const bytes = Buffer.from(`  ${JSON.stringify(image)}\n`);
    const mediaType = mediaTypes.ociManifest;
    const manifest = await readManifest({ bytes, mediaType: `${mediaType.toUpperCase()}; charset=utf-8` });
    assert.equal(manifest.bytes, bytes);
    assert.deepEqual(manifest.descriptor, { mediaType, digest: await digestBytes(bytes), size: bytes.length });
    const long = await readManifest({ bytes, mediaType }, 'sha512');
    assert.match(long.descriptor.digest, /^sha512:/);
  });

  it('types are told apart: manifests from blobs, foreign layers from others', () => {
    assert.deepEqual(
      [mediaTypes.ociIndex, mediaTypes.dockerSchema1, mediaTypes.ociArtifact, mediaTypes.ociLayer, ''].map(
        isManifestType,
      ),
      [true, true, true, false, false],
    );
    const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    assert.deepEqual([mediaTypes.dockerForeignLayer, foreign, mediaTypes.ociLayer].map(isForeignLayerType), [
      true,
      true,
      false,
    ]);
  });
});
