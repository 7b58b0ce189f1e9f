/** What can be known of a host: one row of the table for each fact. */
import { isObject } from '../model/json.ts';

/** The collections of trust anchors: the host's own, Node's, and the system's. */
type Roots = 'host' | 'node' | 'system';

/** Nothing in it is secret. Every fact may be wrong by now: it only decides what is tried first. */
export interface Facts {
  /** It speaks TLS, where it need not. That a host speaks plain http is never remembered. */
  readonly scheme?: 'https' | undefined;
  /** By the path of the API's base: the `WWW-Authenticate` of its challenges, without what belongs to one request. */
  readonly challenges?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The collection that its certificate fits. */
  readonly roots?: Roots | undefined;
  /** Whether it speaks HTTP/2. */
  readonly http2?: boolean | undefined;
  /** Whether it was reached at a public address. */
  readonly isPublic?: boolean | undefined;
  /** Whether blobs can be mounted from other repositories. */
  readonly mounts?: boolean | undefined;
  /** Whether HEAD of a manifest is answered as GET is. */
  readonly heads?: boolean | undefined;
  /** Whether ranges of blobs are honoured. */
  readonly ranges?: boolean | undefined;
  /** The size of a request's body that it has accepted at most, where it has refused a larger one. */
  readonly maxBodyBytes?: number | undefined;
  /** The smallest chunk of an upload that it accepts, but for the last one. */
  readonly minChunkBytes?: number | undefined;
}

export type FactName = keyof Facts;

const isBoolean = (value: unknown): boolean => typeof value === 'boolean';

const accepted: Readonly<Record<FactName, (value: unknown) => boolean>> = {
  scheme: (value) => value === 'https',
  challenges: isChallenges,
  roots: (value) => value === 'host' || value === 'node' || value === 'system',
  http2: isBoolean,
  isPublic: isBoolean,
  mounts: isBoolean,
  heads: isBoolean,
  ranges: isBoolean,
  maxBodyBytes: isSize,
  minChunkBytes: isSize,
};

export const factNames = Object.keys(accepted) as readonly FactName[];

const maxPaths = 16;
const maxChallenges = 8;
const maxChallengeLength = 2000;

function isSize(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** Whether these are challenges as a record holds them. */
function isChallenges(value: unknown): boolean {
  const isText = (text: unknown): boolean => typeof text === 'string' && text.length <= maxChallengeLength;
  if (!isObject(value) || Object.keys(value).length > maxPaths) return false;
  return Object.values(value).every(
    (texts) => Array.isArray(texts) && texts.length <= maxChallenges && texts.every(isText),
  );
}

/** The facts in a parsed file; undefined if one of them is not as it is written. */
export function readFacts(value: unknown): Facts | undefined {
  if (!isObject(value)) return undefined;
  const known = factNames.filter((name) => value[name] !== undefined);
  if (!known.every((name) => accepted[name](value[name]))) return undefined;
  return Object.fromEntries(known.map((name) => [name, value[name]]));
}
