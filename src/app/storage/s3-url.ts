/** Reads `s3://BUCKET/PREFIX?…`. Part of the composition root, loaded only for such a root. */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { S3Settings } from '../../storage/drivers/s3/settings.ts';
import { maxPartBytes } from '../../storage/drivers/s3/upload-state.ts';

/** The least that S3 takes: each upload that is running has a part in memory. */
const minChunkBytes = 5 * 1024 * 1024;
const defaultChunkBytes = minChunkBytes;

const parameters = [
  'endpoint',
  'region',
  'path-style',
  'storage-class',
  'encrypt',
  'key-id',
  'acl',
  'chunk-size',
  'accelerate',
  'dual-stack',
] as const;

type Parameter = (typeof parameters)[number];

/** What distribution's configuration calls them. */
const elsewhere: Readonly<Record<string, Parameter>> = {
  regionendpoint: 'endpoint',
  forcepathstyle: 'path-style',
  storageclass: 'storage-class',
  keyid: 'key-id',
  objectacl: 'acl',
  chunksize: 'chunk-size',
  usedualstack: 'dual-stack',
};

/**
 * @param env For `AWS_REGION` and `AWS_ENDPOINT_URL_S3`, which AWS's own programs read too.
 * @throws OciError USAGE. Nothing of the URL is in the message that could be a secret.
 */
export function parseS3Url(word: string, env: NodeJS.ProcessEnv): S3Settings {
  const url = tryUrl(word);
  if (url === undefined) throw usage('the URL is not valid', shape);
  if (url.username !== '' || url.password !== '') throw secrets('the URL has a user or a password');
  if (url.hash !== '') throw usage('the URL has a fragment', 'write # as %23');
  const { endpoint: named, accelerate = false, dualStack = false, region: _, ...rest } = readParameters(url);
  const endpointText = named ?? (accelerate || dualStack ? undefined : ownEndpoint(env));
  const endpoint =
    endpointText === undefined ? undefined : parseEndpoint(endpointText, named ? 'endpoint' : '$AWS_ENDPOINT_URL_S3');
  const bucket = readBucket(url);
  const region = readRegion(url, env, endpoint !== undefined);
  if (accelerate && (endpoint !== undefined || rest.pathStyle || bucket.includes('.'))) {
    throw usage(
      'accelerate goes with neither an endpoint, nor path-style, nor a dot in the bucket’s name',
      'leave it out',
    );
  }
  if (dualStack && endpoint !== undefined) throw usage('dual-stack goes with no endpoint', 'leave out one of them');
  const place = endpoint ?? new URL(`https://${amazonHost(region, { accelerate, dualStack })}/`);
  // A certificate for *.HOST is not valid for a name with more dots.
  const pathStyle = rest.pathStyle ?? (endpoint !== undefined || bucket.includes('.'));
  return {
    bucket,
    prefix: readPrefix(url),
    endpoint: place,
    region,
    chunkBytes: defaultChunkBytes,
    ...rest,
    pathStyle,
  };
}

const shape = 'write s3://BUCKET/PREFIX?region=REGION, or s3://BUCKET/PREFIX?endpoint=https://HOST';

function usage(text: string, hint: string): OciError {
  return new OciError('USAGE', `--root s3://…: ${text}`, { hint });
}

function secrets(text: string): OciError {
  return usage(text, 'give the keys as $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY, which other users cannot see');
}

function tryUrl(word: string): URL | undefined {
  try {
    return new URL(word);
  } catch {
    return undefined;
  }
}

function readBucket({ host }: URL): string {
  // Its grammar is that of host names; some stores take more.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(host)) throw usage('the bucket has no valid name', shape);
  return host;
}

function readPrefix({ pathname }: URL): string {
  const text = tryDecode(pathname);
  const prefix = text?.replace(/^\/+|\/+$/g, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (prefix === undefined || /[\u0000-\u001f\u007f]/.test(prefix)) throw usage('the prefix is not valid', shape);
  if (prefix !== '' && prefix.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw usage('the prefix has an empty part, or one of dots', 'name it as keys begin, without slashes around it');
  }
  if (prefix.length > 512) throw usage('the prefix is longer than 512 characters', 'keys have 1,024 bytes in all');
  return prefix;
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

type Read = Partial<Pick<S3Settings, 'storageClass' | 'encryption' | 'acl' | 'pathStyle' | 'chunkBytes'>> & {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly accelerate?: boolean;
  readonly dualStack?: boolean;
};

function readParameters({ searchParams }: URL): Read {
  const given = new Map<Parameter, string>();
  for (const [name, value] of searchParams) {
    const parameter = parameters.find((known) => known === name);
    if (parameter === undefined) throw unknown(name);
    if (given.has(parameter)) throw usage(`${name} is there twice`, 'leave out one of them');
    if (value === '') throw usage(`${name} has no value`, `write ${name}=VALUE, or leave it out`);
    given.set(parameter, value);
  }
  const storageClass = word(given, 'storage-class', /^[A-Z][A-Z0-9_]*$/, 'STANDARD_IA');
  const acl = word(given, 'acl', /^[a-z][a-z-]*$/, 'bucket-owner-full-control');
  const encryption = readEncryption(given);
  const pathStyle = flag(given, 'path-style');
  return {
    endpoint: given.get('endpoint'),
    region: given.get('region'),
    accelerate: flag(given, 'accelerate') ?? false,
    dualStack: flag(given, 'dual-stack') ?? false,
    ...(pathStyle !== undefined && { pathStyle }),
    ...(storageClass !== undefined && { storageClass }),
    ...(acl !== undefined && { acl }),
    ...(encryption && { encryption }),
    ...(given.has('chunk-size') && { chunkBytes: readBytes(given.get('chunk-size') ?? '') }),
  };
}

function unknown(name: string): OciError {
  const plain = name.toLowerCase().replace(/[-_]/g, '');
  if (/secret|password|accesskey|token/.test(plain)) return secrets('keys do not belong into a URL');
  if (plain === 'redirectendpoint') throw usage(`${name} is an option of its own`, 'write serve --redirect-host URL');
  const meant = elsewhere[plain] ?? parameters.find((known) => known.replace('-', '') === plain);
  return usage(
    `unknown parameter ${quote(name, 40)}`,
    meant === undefined ? `it takes ${parameters.join(', ')}` : `did you mean ${meant}?`,
  );
}

function flag(given: ReadonlyMap<Parameter, string>, name: Parameter): boolean | undefined {
  const value = given.get(name);
  if (value === undefined || value === 'true' || value === 'false')
    return value === undefined ? value : value === 'true';
  throw usage(`${name} is neither true nor false`, `write ${name}=true`);
}

function word(
  given: ReadonlyMap<Parameter, string>,
  name: Parameter,
  form: RegExp,
  example: string,
): string | undefined {
  const value = given.get(name);
  if (value !== undefined && !form.test(value)) throw usage(`${name} is not valid`, `write it as ${name}=${example}`);
  return value;
}

function readEncryption(given: ReadonlyMap<Parameter, string>): S3Settings['encryption'] {
  const [encrypt, keyId] = [given.get('encrypt'), given.get('key-id')];
  if (encrypt === undefined && keyId === undefined) return undefined;
  const algorithm = encrypt ?? 'aws:kms';
  if (algorithm !== 'AES256' && algorithm !== 'aws:kms') {
    throw usage('encrypt is neither AES256 nor aws:kms', 'write encrypt=AES256, or encrypt=aws:kms&key-id=KEY');
  }
  if (algorithm === 'AES256' && keyId !== undefined) {
    throw usage('encrypt=AES256 goes with no key-id', 'write encrypt=aws:kms for a key of your own');
  }
  // It becomes a header.
  if (keyId !== undefined && !/^[\x21-\x7e]+$/.test(keyId))
    throw usage('key-id is not valid', 'write the ARN of the key');
  return { algorithm, keyId };
}

function readBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,12})(k|m|g|kib|mib|gib|kb|mb|gb)?$/i.exec(text) ?? [];
  const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase().replace(/i?b$/, '')] ?? 1;
  const bytes = Number(digits) * factor;
  if (bytes >= minChunkBytes && bytes <= maxPartBytes) return bytes;
  throw usage('chunk-size is not between 5MiB and 128MiB', 'write chunk-size=10MiB, or leave it out');
}

function ownEndpoint(env: NodeJS.ProcessEnv): string | undefined {
  return env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || undefined;
}

function parseEndpoint(text: string, name: string): URL {
  const url = tryUrl(text);
  const hint = 'write it as https://HOST:PORT';
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.host === '') {
    throw usage(`${name} is no http or https URL`, hint);
  }
  if (url.username !== '' || url.password !== '') throw secrets(`${name} has a user or a password`);
  if (url.search !== '' || url.hash !== '') throw usage(`${name} has a query or a fragment`, hint);
  return url;
}

function readRegion({ searchParams }: URL, env: NodeJS.ProcessEnv, hasEndpoint: boolean): string {
  const region = searchParams.get('region') ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION']);
  // What other stores call their region does not matter to most of them.
  if (!region && hasEndpoint) return 'us-east-1';
  if (!region) throw usage('the region of the bucket is not known', 'write ?region=REGION, or set $AWS_REGION');
  if (!/^[\w-]{1,40}$/.test(region)) throw usage('the region is not valid', 'write it as region=eu-central-1');
  return region;
}

/** @see https://docs.aws.amazon.com/general/latest/gr/s3.html */
function amazonHost(
  region: string,
  { accelerate, dualStack }: { readonly accelerate: boolean; readonly dualStack: boolean },
): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const stack = dualStack ? 'dualstack.' : '';
  return accelerate ? `s3-accelerate.${stack}${suffix}` : `s3.${stack}${region}.${suffix}`;
}
