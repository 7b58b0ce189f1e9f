/**
 * Signatures of requests to AWS, and to stores with the interface of S3.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsKeys } from './keys.ts';

/** A request to be signed. Every header that is given is covered by the signature. */
interface UnsignedRequest {
  readonly method: string;
  /** Without a query. Its path is encoded as it is sent. */
  readonly url: URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Hashed, unless the header `x-amz-content-sha256` has the hash. */
  readonly body?: string | undefined;
}

interface SigningOptions {
  readonly keys: AwsKeys;
  readonly region: string;
  /** `s3`, `ecr`. */
  readonly service: string;
  /** Default: now. */
  readonly date?: Date | undefined;
}

/** The headers of a signed request: those that were given, and those of the signature; not `host`. */
export async function signedHeaders(
  request: UnsignedRequest,
  options: SigningOptions,
): Promise<{ readonly authorization: string; readonly headers: Readonly<Record<string, string>> }> {
  const { headers } = await signer(options).sign(unsigned(request), dated(options));
  const { authorization = '', host: _, ...rest } = headers;
  return { authorization, headers: rest };
}

/** A URL that can be read without keys for a time. @param expiresInSeconds At most a week. */
export async function signedUrl(
  request: Pick<UnsignedRequest, 'method' | 'url'>,
  { expiresInSeconds, ...options }: SigningOptions & { readonly expiresInSeconds: number },
): Promise<URL> {
  const plain = unsigned({ ...request, headers: { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } });
  const { query } = await signer(options).presign(plain, { ...dated(options), expiresIn: expiresInSeconds });
  const url = new URL(request.url);
  url.search = queryText(query as Readonly<Record<string, string>>);
  return url;
}

/** A query as it is signed: encoded byte by byte, while URLSearchParams writes a space as `+`. */
export function queryText(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join('&');
}

/** Encodes a text for a path or query as signatures demand: all but letters, digits, `-`, `.`, `_` and `~`. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function signer({ keys, region, service }: SigningOptions): SignatureV4 {
  // S3 alone takes the path as it is sent, without encoding it again.
  return new SignatureV4({ credentials: keys, region, service, sha256: Sha256, uriEscapePath: service !== 's3' });
}

function dated({ date }: SigningOptions): { readonly signingDate?: Date } {
  return date === undefined ? {} : { signingDate: date };
}

function unsigned({ method, url, query = {}, headers, body }: UnsignedRequest) {
  return {
    method,
    protocol: url.protocol,
    hostname: url.host,
    path: url.pathname,
    query: { ...query },
    headers: { host: url.host, ...headers },
    body,
  };
}

/** SHA-256, or HMAC with it where there is a secret, in the form that the signer takes. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
