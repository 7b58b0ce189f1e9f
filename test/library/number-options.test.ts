import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTokenCache } from '../../src/auth/token-cache.ts';
import { isOciError } from '../../src/model/errors.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { createDescriptorCache } from '../../src/registry/descriptor-cache.ts';
import { openRemote } from '../../src/remote/open.ts';
import { serve } from '../../src/server/server.ts';
import { createMemoryDriver } from '../../src/storage/drivers/memory.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { Slots } from '../../src/transfer/slots.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { memoryRegistry } from '../support/memory.ts';

const url = 'http://127.0.0.1:1';
const takers: Readonly<Record<string, (value: number) => unknown>> = {
  'serve: port': (port) => serve({ registry: memoryRegistry(), port }),
  'serve: maxManifestBytes': (maxManifestBytes) => serve({ registry: memoryRegistry(), maxManifestBytes }),
  'serve: idleTimeoutMs': (idleTimeoutMs) => serve({ registry: memoryRegistry(), idleTimeoutMs }),
  'serve: maxSessions': (maxSessions) => serve({ registry: memoryRegistry(), maxSessions }),
  'serve: minBytesPerSecond': (minBytesPerSecond) => serve({ registry: memoryRegistry(), minBytesPerSecond }),
  'storage: maxManifestBytes': (maxManifestBytes) => createStorage({ driver: createMemoryDriver(), maxManifestBytes }),
  'remote: uploadChunkBytes': (uploadChunkBytes) => openRemote({ url, uploadChunkBytes }),
  'remote: attempts': (attempts) => openRemote({ url, retry: { attempts } }),
  'remote: connectTimeoutMs': (connectTimeoutMs) => openRemote({ url, limits: { connectTimeoutMs } }),
  'token cache: maxTokens': (maxTokens) => createTokenCache({ maxTokens }),
  'descriptor cache: maxDescriptors': (maxDescriptors) => createDescriptorCache({ maxDescriptors }),
  'slots: count': (count) => new Slots(count),
};

describe('a number that an option cannot be', () => {
  for (const [name, take] of Object.entries(takers)) {
    it(`is refused by ${name}`, async () => {
      const option = name.split(': ')[1] ?? '';
      for (const wrong of [Number.NaN, -1, -Infinity]) {
        await assert.rejects(
          async () => take(wrong),
          (error) => isOciError(error, 'USAGE') && error.message.startsWith(`the option ${option} must be a number`),
        );
      }
    });
  }
});

describe('a bound that there is not', () => {
  const strange: Readonly<Record<string, (bounds: Record<string, number>) => unknown>> = {
    'the limits of a transfer': (limits) => {
      const end = { registry: memoryRegistry(), repo: parseRepositoryName('team/app') };
      return transfer({ from: { ...end, reference: parseTag('1') }, to: { ...end, tags: [] }, limits }).result;
    },
    'the limits of a remote': (limits) => openRemote({ url, limits }),
    'the retries of a remote': (retry) => openRemote({ url, retry }),
  };
  for (const [name, take] of Object.entries(strange)) {
    it(`is refused among ${name}`, async () => {
      await assert.rejects(
        async () => take({ nodez: 5 }),
        (error) => isOciError(error, 'USAGE') && /no option "nodez" here: the options are \w+, \w+/.test(error.message),
      );
    });
  }
});
