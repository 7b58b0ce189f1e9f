import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configPlatform, glimpseConfig } from '../../../src/model/manifest/image-config.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a glimpse of a config', () => {
  it('has the date and the platform as they stand there', () => {
    const config = '{"created":"2026-01-02T03:04:05Z","os":"linux","architecture":"arm64","variant":"v8"}';
    assert.deepEqual(glimpseConfig(bytesOf(config)), {
      created: new Date('2026-01-02T03:04:05Z'),
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    });
  });

  it('is empty for JSON that is not an image config', () => {
    for (const text of ['', 'x', '[]', 'null', '{}', '{"created":"soon","os":1}']) {
      assert.deepEqual(glimpseConfig(bytesOf(text)), {}, text);
    }
  });
});

describe('the platform of a config', () => {
  it('has the version too, and is none where the config is of something else', () => {
    const platform = configPlatform(bytesOf('{"os":"windows","architecture":"amd64","os.version":"10.0"}'));
    assert.deepEqual(platform, { os: 'windows', architecture: 'amd64', osVersion: '10.0' });
    for (const text of ['', 'x', '[]', '{"os":1}']) assert.equal(configPlatform(bytesOf(text)), undefined, text);
  });
});
