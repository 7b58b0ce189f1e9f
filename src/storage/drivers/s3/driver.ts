import { OciError } from '../../../model/errors.ts';
import type { Driver } from '../../driver.ts';
import { createS3Client } from './client.ts';
import { S3Connection } from './connection.ts';
import { createS3Objects } from './objects.ts';
import type { S3Keys, S3Send, S3Settings } from './settings.ts';
import { createS3Uploads } from './uploads.ts';

interface S3DriverOptions {
  readonly settings: S3Settings;
  readonly send: S3Send;
  readonly keys: S3Keys;
  /** Waits before a repetition. Default: some hundred milliseconds. @param failures From 1. */
  readonly pause?: ((failures: number) => Promise<unknown>) | undefined;
  /** Refuses every change. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Called with problems that do not keep requests from being answered. */
  readonly warn: (text: string) => void;
}

/**
 * Keeps a store in a bucket of S3, or of a store with its interface, in the layout of distribution's S3 driver.
 *
 * Further errors of its methods: UNAVAILABLE, retryable, if the store does not answer, or asks to come later.
 */
export function createS3Driver({ readOnly = false, ...options }: S3DriverOptions): Driver {
  const connection = new S3Connection(options);
  const client = createS3Client(connection);
  const objects = createS3Objects(client);
  const { name } = connection;
  const check = async (): Promise<void> => void (await client.list({ prefix: '', limit: 1 }));
  const driver = {
    name,
    readOnly,
    isShared: true,
    isRemote: true,
    check,
    ...objects,
    uploads: createS3Uploads(client),
  };
  if (!readOnly) return driver;
  const refuse = async (): Promise<never> => {
    throw new OciError('STORAGE_DENIED', `${name} is served read-only`, { hint: 'leave out --read-only' });
  };
  const refused = { begin: refuse, resume: refuse, abort: refuse };
  const changes = {
    put: refuse,
    putIfAbsent: refuse,
    copy: refuse,
    delete: refuse,
    deleteMany: refuse,
    deleteIf: refuse,
  };
  return { ...driver, ...changes, uploads: { ...driver.uploads, ...refused } };
}
