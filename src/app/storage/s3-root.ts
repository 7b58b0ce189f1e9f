/** A bucket of S3 as the store of a registry. Part of the composition root, loaded only for such a root. */
import { readHostTls } from '../../certs/host-tls.ts';
import { newProcessId } from '../../files/process-id.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Driver } from '../../storage/driver.ts';
import { createS3Driver } from '../../storage/drivers/s3/driver.ts';
import type { S3Send } from '../../storage/drivers/s3/settings.ts';
import { isAnyBelow } from '../../storage/listing.ts';
import { clockPath, v2Path } from '../../storage/paths.ts';
import { createTransport } from '../../transport/transport.ts';
import { version } from '../../version.ts';
import { prepareForTraffic } from '../engine.ts';
import { s3Keys } from './s3-keys.ts';
import { parseS3Url } from './s3-url.ts';
import type { RootOptions, RootParts, StoreRoot } from './store-root.ts';

/** A store in the same network answers in milliseconds; one that has stalled must not hold up clients for long. */
const limits = { connectTimeoutMs: 5_000, headersTimeoutMs: 20_000, idleTimeoutMs: 30_000 };
const retry = { attempts: 5, baseDelayMs: 200, maxDelayMs: 3_000, maxRetryAfterMs: 10_000 };

export async function openS3Root(
  word: string,
  { settings: read, warn, onOpen }: RootParts,
  { readOnly = false, existing = false }: RootOptions,
): Promise<StoreRoot> {
  const { certsDirs, environment, proxy } = await read();
  const settings = parseS3Url(word, environment.env);
  const { endpoint } = settings;
  prepareForTraffic();
  const tls = await readHostTls(endpoint.host, { certsDirs: certsDirs.map(({ value }) => value), environment, warn });
  const transport = createTransport({ base: endpoint, tls, proxy, limits, retry, userAgent: `ocictl/${version}` });
  onOpen(() => transport.close());
  const keys = s3Keys(environment.env);
  const { pause } = transport.retry;
  const send: S3Send = (request) => transport.request(request);
  const driver = createS3Driver({ settings, send, pause, keys, readOnly, warn });
  // Asked now, so that wrong keys and names are told now, and not at the first pull.
  const isRegistry = await isAnyBelow(driver, v2Path);
  if (existing && !isRegistry) {
    throw new OciError('STORAGE', `${driver.name} holds no registry: there is nothing below ${v2Path} in it`, {
      hint: 'name the prefix that serve has in --root, or distribution as rootdirectory',
    });
  }
  if (!readOnly && !existing) await tryToWrite(driver, warn);
  return { driver, name: driver.name, directory: undefined, keyPrefix: settings.prefix };
}

// Only an attempt shows whether the key may write, and whether the store keeps to conditions.
async function tryToWrite(driver: Driver, warn: (text: string) => void): Promise<void> {
  const path = clockPath(newProcessId());
  try {
    await driver.put(path, new Uint8Array(0));
    const replaces = await driver.putIfAbsent(path, new Uint8Array(1)).catch((error: unknown) => {
      // `NotImplemented`, or another refusal of the header. A store that is busy or denies it is no such store.
      if (isOciError(error, 'STORAGE')) return true;
      throw error;
    });
    if (replaces) {
      warn(
        `${driver.name}: the store does not know If-None-Match, so of two who write one tag at once both may succeed`,
      );
    }
    await driver.delete(path);
  } catch (error) {
    if (!isOciError(error, 'STORAGE_DENIED')) throw error;
    const hint = `${error.hint}; or use --read-only`;
    throw new OciError('STORAGE_DENIED', error.message, { cause: error, hint });
  }
}
