import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../network/ports.ts';
import { start } from '../process.ts';
import { waitForPort } from '../programs.ts';
import { type Scope, temporaryDirectory } from '../sandbox.ts';

export interface S3Request {
  /** The operation, as `PutObject`. */
  readonly operation: string;
  /** Path with query. */
  readonly path: string;
  readonly status: number;
}

/** An S3 store on loopback with one empty bucket. To disturb it, put a fault proxy in front: signatures stay valid. */
export interface S3Gateway {
  /** `http://host:port`, without the bucket. */
  readonly url: string;
  readonly host: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The keys as variables that programs read. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the objects of the bucket are files: `a/b` is the object of that key. */
  readonly directory: string;
  readonly pid: number | undefined;
  /** Answered requests, from its access log. */
  requests(): Promise<readonly S3Request[]>;
  stop(): Promise<void>;
}

/**
 * Starts versitygw over a temporary directory, in the extended attributes of whose files it keeps what it knows of objects:
 * in files beside them (`--sidecar`), that is lost when an object is deleted and put at the same time.
 *
 * @param options.parent Where that directory is made. @param options.words More words for the program, as `--readonly`.
 * @param options.sidecar Keeps what it knows of objects in files all the same: attributes on ext4 have room for some hundred parts.
 */
export async function startVersitygw(
  t: Scope,
  {
    parent,
    words = [],
    sidecar = false,
  }: { readonly parent?: string; readonly words?: readonly string[]; readonly sidecar?: boolean } = {},
): Promise<S3Gateway> {
  const directory = await temporaryDirectory(t, parent);
  const [root, log] = [join(directory, 'root'), join(directory, 'access.log')];
  const bucket = 'registry';
  const [accessKey, secretKey, region] = ['testkey', 'testsecret12', 'us-east-1'];
  const beside = sidecar ? ['--sidecar', join(directory, 'sidecar')] : [];
  if (sidecar) await mkdir(join(directory, 'sidecar'));
  // A directory below its root is a bucket.
  await mkdir(join(root, bucket), { recursive: true });
  const host = `127.0.0.1:${await freePort()}`;
  const running = start(
    t,
    'versitygw',
    [
      ...['--port', host, '--access', accessKey, '--secret', secretKey, '--region', region],
      ...['--quiet', '--access-log', log, ...words, 'posix', ...beside, root],
    ],
    { env: { PATH: process.env['PATH'] ?? '', HOME: directory }, timeoutMs: 1_800_000 },
  );
  await waitForPort(Number(host.split(':')[1]), running.result);
  return {
    url: `http://${host}`,
    host,
    bucket,
    region,
    accessKey,
    secretKey,
    env: { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey, AWS_REGION: region },
    directory: join(root, bucket),
    pid: running.child.pid,
    async requests() {
      const lines = (await readFile(log, 'utf8')).matchAll(/ s3_(\w+) \S+ (\/\S*) (\d{3}) /g);
      return [...lines].map(([, operation = '', path = '', status]) => ({ operation, path, status: Number(status) }));
    },
    async stop() {
      running.child.kill('SIGKILL');
      await running.result;
    },
  };
}

/** The storage section of distribution for this bucket. @param prefix Its root in the bucket; default none. */
export function distributionStorage(gateway: S3Gateway, prefix = ''): Readonly<Record<string, unknown>> {
  const { url, bucket, region, accessKey, secretKey } = gateway;
  const keys = { accesskey: accessKey, secretkey: secretKey };
  const place = { region, regionendpoint: url, bucket, forcepathstyle: true, secure: false };
  return { s3: { ...keys, ...place, rootdirectory: `/${prefix}` }, redirect: { disable: true } };
}
