/** What answers of a store tell, and the URLs of a bucket. */
import { encoded } from '../../../aws/signature.ts';
import type { S3Fault } from './failures.ts';
import type { S3Answer } from './settings.ts';
import type { Element } from './xml.ts';

/** The URL of a bucket; it ends with a slash. */
export function baseOf(endpoint: URL, bucket: string, pathStyle: boolean): URL {
  const base = new URL(endpoint);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  if (pathStyle) base.pathname += `${encoded(bucket)}/`;
  else base.host = `${bucket}.${base.host}`;
  return base;
}

/** A key as a path. Its slashes stay. */
export function encodedPath(key: string): string {
  return key.split('/').map(encoded).join('/');
}

/** The fault that a document tells. */
export function faultIn(document: Element, answer: S3Answer): S3Fault {
  const { status } = answer;
  const region = regionOf(answer) ?? document.value('Region');
  return { status, code: document.value('Code'), text: document.value('Message'), region };
}

/** The region of the bucket, if the answer says that it is another one. */
export function regionOf(answer: S3Answer): string | undefined {
  const region = single(answer, 'x-amz-bucket-region');
  return answer.status >= 300 && answer.status < 500 && region !== undefined && /^[\w-]+$/.test(region)
    ? region
    : undefined;
}

/** Whether a caller knows how to take a fault. A bucket that is gone is never taken for an object that is not there. */
export function isExpected({ status, code }: S3Fault, expects: readonly (number | string)[] = []): boolean {
  return code !== 'NoSuchBucket' && (expects.includes(status) || (code !== undefined && expects.includes(code)));
}

/** Whether keys have ended. */
export function isEndedToken({ code }: S3Fault): boolean {
  return code === 'ExpiredToken' || code === 'TokenRefreshRequired' || code === 'ExpiredTokenException';
}

/** The first line of a header. */
export function single({ headers }: Pick<S3Answer, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
