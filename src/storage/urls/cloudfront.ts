/** Signed URLs of Amazon CloudFront, which then fetches the objects from the bucket. */
import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import { checkOptions, type Shape } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { BlobUrlSigner } from '../driver.ts';
import { belowBase, parseBase } from './base-url.ts';

export interface CloudFrontOptions {
  /** The address of the distribution: `https://d111111abcdef8.cloudfront.net`. */
  readonly base: string;
  /** The id of the public key at CloudFront, as in `K2JCJMDEHXQW5F`. */
  readonly keyPairId: string;
  /** The RSA key in PEM, of PKCS#1 (`BEGIN RSA PRIVATE KEY`) or PKCS#8 (`BEGIN PRIVATE KEY`). */
  readonly privateKey: string;
  /** What the keys of the bucket have before the paths of the store: its root directory. Default: nothing. */
  readonly keyPrefix?: string | undefined;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
}

const cloudFrontShape: Shape<CloudFrontOptions> = {
  base: 'string',
  keyPairId: 'string',
  privateKey: 'string',
  keyPrefix: 'string',
  now: 'function',
};

/**
 * URLs with the canned policy: until when one URL may be read. The same as the `cloudfront` middleware of distribution.
 *
 * @throws OciError USAGE for a base that is no plain http(s) URL, an id of other characters, and a key that cannot sign.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
 */
export function createCloudFrontSigner(options: CloudFrontOptions): BlobUrlSigner {
  checkOptions('createCloudFrontSigner', options, cloudFrontShape, ['base', 'keyPairId', 'privateKey']);
  const { keyPairId, now = () => new Date() } = options;
  const base = parseBase(options.base);
  if (!/^\w{1,128}$/.test(keyPairId)) {
    throw new OciError('USAGE', `invalid id of a CloudFront key: ${quote(keyPairId)}`, {
      hint: 'CloudFront shows it beside the public key, as in K2JCJMDEHXQW5F',
    });
  }
  const key = readKey(options.privateKey);
  const prefix = (options.keyPrefix ?? '').replace(/^\/+|\/+$/g, '');
  return {
    async url(path, { validMs }) {
      const resource = belowBase(base, prefix === '' ? path : `${prefix}/${path}`);
      const expires = Math.floor((now().getTime() + validMs) / 1000);
      // CloudFront makes the same text of the URL and compares: no space, and the keys in this order.
      const policy = `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
      const signature = createSign('RSA-SHA1').update(policy).sign(key, 'base64');
      return `${resource}?Expires=${expires}&Signature=${urlSafe(signature)}&Key-Pair-Id=${keyPairId}`;
    },
  };
}

const replacements: Readonly<Record<string, string>> = { '+': '-', '=': '_', '/': '~' };

function urlSafe(base64: string): string {
  return base64.replace(/[+=/]/g, (character) => replacements[character] ?? '');
}

function readKey(pem: string): KeyObject {
  const refuse = (problem: string, hint: string, cause?: unknown): OciError =>
    new OciError('USAGE', `the key for CloudFront ${problem}`, { hint, cause });
  const [, kind] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem) ?? [];
  const encrypted = kind === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: *4,ENCRYPTED/m.test(pem);
  if (encrypted) throw refuse('has a passphrase', 'remove it with: openssl pkey -in KEY -out NEW');
  if (kind === undefined || !kind.endsWith('PRIVATE KEY')) {
    const found = kind === undefined ? 'is not in PEM' : `is a ${kind.toLowerCase()}`;
    throw refuse(found, 'it is the private key whose public key CloudFront has, in PEM');
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw refuse('cannot be read', 'make one with: openssl genrsa -out KEY 2048', cause);
  }
  if (key.asymmetricKeyType === 'rsa') return key;
  throw refuse(`is of the type ${key.asymmetricKeyType}, not RSA`, 'make one with: openssl genrsa -out KEY 2048');
}
