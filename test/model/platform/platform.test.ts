import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDigest } from '../../../src/model/digest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import {
  describePlatform,
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
  parsePlatformObject,
} from '../../../src/model/platform/platform.ts';
import { isAttestation, platformMatches, selectPlatform } from '../../../src/model/platform/platform-selection.ts';

const host = hostPlatform();

describe('a platform in words', () => {
  const vectors: readonly (readonly [text: string, platform: Platform])[] = [
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/x86_64', { os: 'linux', architecture: 'amd64' }],
    ['linux/x86-64', { os: 'linux', architecture: 'amd64' }],
    ['linux/amd64/v1', { os: 'linux', architecture: 'amd64' }],
    ['linux/amd64/v3', { os: 'linux', architecture: 'amd64', variant: 'v3' }],
    ['Linux/AArch64', { os: 'linux', architecture: 'arm64' }],
    ['linux/arm64/v8', { os: 'linux', architecture: 'arm64' }],
    ['linux/arm64/8', { os: 'linux', architecture: 'arm64' }],
    ['linux/arm64/v9', { os: 'linux', architecture: 'arm64', variant: 'v9' }],
    ['linux/i386', { os: 'linux', architecture: '386' }],
    ['linux/i686', { os: 'linux', architecture: '386' }],
    ['linux/arm', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux/arm/7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux/arm/V6', { os: 'linux', architecture: 'arm', variant: 'v6' }],
    ['linux/armhf', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux/armel', { os: 'linux', architecture: 'arm', variant: 'v6' }],
    ['macos/arm64', { os: 'darwin', architecture: 'arm64' }],
    ['wasi/wasm', { os: 'wasi', architecture: 'wasm' }],
    ['arm64', { os: 'linux', architecture: 'arm64' }],
    ['aarch64', { os: 'linux', architecture: 'arm64' }],
    ['armhf', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['s390x', { os: 'linux', architecture: 's390x' }],
    ['linux', host],
    ['windows(10.0.17763)/amd64', { os: 'windows', architecture: 'amd64', osVersion: '10.0.17763' }],
  ];
  for (const [text, platform] of vectors) {
    it(`${text} is ${formatPlatform(platform)}`, () => {
      assert.deepEqual(parsePlatform(text), platform);
      assert.deepEqual(parsePlatform(formatPlatform(platform)), platform);
    });
  }

  it('refuses other words with USAGE and an example', () => {
    for (const text of [
      '',
      '/',
      'foo',
      'linux/',
      '/amd64',
      'linux/amd64/v1/x',
      'linux amd64',
      'linux,amd64',
      'all',
      'x\u001b[2J',
      'windows()/amd64',
      'amd64(1)',
      'linux/amd64\n',
      'a'.repeat(100_000),
    ]) {
      assert.throws(
        () => parsePlatform(text),
        (error) =>
          isOciError(error, 'USAGE') && /linux\/amd64/.test(error.hint ?? '') && !/\p{Cc}/u.test(error.message),
        text.slice(0, 20),
      );
    }
  });

  it('normalising twice changes nothing more, and keeps version and features', () => {
    const platform = { os: 'Windows', architecture: 'X86_64', osVersion: '10.0.1', osFeatures: ['win32k'] };
    const once = normalizePlatform(platform);
    assert.deepEqual(once, { os: 'windows', architecture: 'amd64', osVersion: '10.0.1', osFeatures: ['win32k'] });
    assert.deepEqual(normalizePlatform(once), once);
  });

  it("formats a registry's platform without control characters", () => {
    assert.equal(formatPlatform({ os: 'li\u001bnux', architecture: 'a\u009bm', variant: '\u202e' }), 'li?nux/a?m/?');
  });

  it('is told as none where a config names none', () => {
    assert.equal(describePlatform({ os: '', architecture: '' }), 'no platform');
    assert.equal(describePlatform({ os: 'linux', architecture: 'amd64' }), 'linux/amd64');
  });
});

describe("this machine's platform", () => {
  it('is linux on every system, with the architecture in the words of images', () => {
    const names = {
      x64: 'amd64',
      ia32: '386',
      arm64: 'arm64',
      ppc64: 'ppc64le',
      s390x: 's390x',
      riscv64: 'riscv64',
      loong64: 'loong64',
    };
    for (const [architecture, name] of Object.entries(names)) {
      for (const os of ['linux', 'darwin', 'win32']) {
        assert.deepEqual(hostPlatform({ os, architecture }), { os: 'linux', architecture: name });
      }
    }
  });

  it('has a variant on arm', () => {
    assert.match(hostPlatform({ architecture: 'arm' }).variant ?? '', /^v[5-8]$/);
  });
});

describe('the platform object of a descriptor', () => {
  it('is read with its dotted fields', () => {
    assert.deepEqual(
      parsePlatformObject(
        { os: 'windows', architecture: 'amd64', 'os.version': '10.0', 'os.features': ['win32k'], variant: '' },
        'p',
      ),
      { os: 'windows', architecture: 'amd64', osVersion: '10.0', osFeatures: ['win32k'] },
    );
  });

  it('may lack fields, which some builders leave out or null', () => {
    assert.deepEqual(parsePlatformObject({ os: null, 'os.features': null }, 'p'), { os: '', architecture: '' });
  });

  it('is refused with the field that is wrong', () => {
    for (const [value, field] of [
      ['linux', 'p must be an object'],
      [{ os: 1 }, 'p.os must'],
      [{ architecture: [] }, 'p.architecture'],
      [{ variant: {} }, 'p.variant'],
      [{ 'os.version': 10 }, 'p.os.version'],
      [{ 'os.features': 'x' }, 'p.os.features'],
      [{ 'os.features': [1] }, 'p.os.features'],
    ] as const) {
      assert.throws(
        () => parsePlatformObject(value, 'p'),
        (error) => isOciError(error, 'MANIFEST_INVALID') && error.message.includes(field),
      );
    }
  });
});

describe('whether an image runs on a platform', () => {
  const runs: readonly (readonly [offered: string, wanted: string, answer: boolean])[] = [
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/aarch64', true],
    ['linux/arm64/v9', 'linux/arm64', false],
    ['linux/arm64', 'linux/arm64/v9', true],
    ['linux/arm/v6', 'linux/arm/v7', true],
    ['linux/arm/v5', 'linux/arm', true],
    ['linux/arm/v7', 'linux/arm/v6', false],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/arm/foo', 'linux/arm/v7', false],
    ['linux/arm/foo', 'linux/arm/foo', true],
    ['linux/amd64/v2', 'linux/amd64', false],
    ['linux/amd64/v2', 'linux/amd64/v3', true],
    ['linux/riscv64/rva20u64', 'linux/riscv64', true],
    ['linux/s390x/z15', 'linux/s390x', false],
    ['linux/386', 'linux/amd64', false],
    ['windows(10.0.17763.1)/amd64', 'windows(10.0.17763)/amd64', true],
    ['windows(10.0.14393)/amd64', 'windows(10.0.17763)/amd64', true],
    ['windows(10.0.20348)/amd64', 'windows(10.0.17763)/amd64', false],
    ['windows/amd64', 'windows(10.0.17763)/amd64', true],
    ['windows(10.0.20348)/amd64', 'windows/amd64', true],
  ];
  for (const [offered, wanted, answer] of runs) {
    it(`${offered} ${answer ? 'runs' : 'does not run'} on ${wanted}`, () => {
      assert.equal(platformMatches(parsePlatform(offered), parsePlatform(wanted)), answer);
    });
  }

  it('does so for platforms as registries write them', () => {
    assert.equal(
      platformMatches({ os: 'Linux', architecture: 'aarch64' }, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
      true,
    );
  });
});

describe('choosing from an index', () => {
  let count = 0;
  const entry = (platform?: string | Platform, more: Partial<Descriptor> = {}): Descriptor => ({
    mediaType: mediaTypes.ociManifest,
    digest: parseDigest(`sha256:${(++count).toString(16).padStart(64, '0')}`),
    size: 1,
    ...(platform !== undefined && { platform: typeof platform === 'string' ? parsePlatform(platform) : platform }),
    ...more,
  });
  const attested = entry(
    { os: 'unknown', architecture: 'unknown' },
    { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
  );

  it('the exact variant comes first, lower ones after it, entries without a platform last', () => {
    const nested = entry(undefined, { mediaType: mediaTypes.ociIndex });
    const [v5, amd64, v7, v6] = [
      entry('linux/arm/v5'),
      entry('linux/amd64'),
      entry('linux/arm/v7'),
      entry('linux/arm/v6'),
    ];
    assert.deepEqual(selectPlatform([nested, v5, amd64, attested, v7, v6], parsePlatform('linux/arm')), [
      v7,
      v6,
      v5,
      nested,
    ]);
    assert.deepEqual(selectPlatform([nested, v5, v7, v6], parsePlatform('linux/arm/v6')), [v6, v5, nested]);
  });

  it('equals keep their order, and a platform of empty strings counts as none', () => {
    const [first, second, empty, none] = [
      entry('linux/amd64'),
      entry('linux/amd64'),
      entry({ os: '', architecture: '' }),
      entry(),
    ];
    assert.deepEqual(selectPlatform([empty, none, first, second], parsePlatform('linux/amd64')), [
      first,
      second,
      empty,
      none,
    ]);
  });

  it('on Windows the wanted build comes first, then what does not say, then older ones; newer ones never', () => {
    const [old, same, newer, silent] = [
      entry('windows(10.0.14393.1)/amd64'),
      entry('windows(10.0.17763.4010)/amd64'),
      entry('windows(10.0.20348.1)/amd64'),
      entry('windows/amd64'),
    ];
    assert.deepEqual(selectPlatform([old, silent, newer, same], parsePlatform('windows(10.0.17763)/amd64')), [
      same,
      silent,
      old,
    ]);
    assert.deepEqual(selectPlatform([old, newer, same], parsePlatform('windows(10.0.17763.1)/amd64')), [same, old]);
  });

  it('the variant counts for more than the build', () => {
    const [near, exact] = [entry('windows(10.0.17763)/arm64/v8.1'), entry('windows(10.0.14393)/arm64/v8.2')];
    assert.deepEqual(selectPlatform([near, exact], parsePlatform('windows(10.0.17763)/arm64/v8.2')), [exact, near]);
  });

  it('attestations are never chosen, known by platform or by annotation', () => {
    const byAnnotation = entry('linux/amd64', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } });
    const byPlatform = entry({ os: 'unknown', architecture: 'unknown' });
    assert.deepEqual([attested, byAnnotation, byPlatform, entry(), entry('linux/amd64')].map(isAttestation), [
      true,
      true,
      true,
      false,
      false,
    ]);
    assert.deepEqual(selectPlatform([attested, byAnnotation, byPlatform], parsePlatform('linux/amd64')), []);
    assert.deepEqual(selectPlatform([byPlatform], { os: 'unknown', architecture: 'unknown' }), []);
  });

  it('nothing is chosen from an index without the platform', () => {
    assert.deepEqual(selectPlatform([entry('linux/amd64')], parsePlatform('linux/arm64')), []);
    assert.deepEqual(selectPlatform([], host), []);
  });
});
