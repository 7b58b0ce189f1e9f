/**
 * The files of `skopeo sync --src yaml`.
 *
 * @see https://github.com/containers/skopeo/blob/v1.9.3/docs/skopeo-sync.1.md#yaml-file-content-used-source-for---src-yaml
 */
import { basename, dirname } from 'node:path';
import { at, configError } from '../../config/documents/config-error.ts';
import { type Fields, fieldsOf } from '../../config/documents/fields.ts';
import { type KnownKeys, refuseUnknownKeys } from '../../config/documents/known-keys.ts';
import type { Origin, Sourced } from '../../config/origin.ts';
import { parseDigest, tryParseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { parseExpression } from '../../model/patterns/expression.ts';
import { quote } from '../../model/quote.ts';
import { parseReference, parseTag } from '../../model/reference/reference.ts';
import { matchingNames } from '../tags/expression.ts';
import type { TagFilter, TagRule } from '../tags/tag-rule.ts';
import { parseVersionRange } from '../tags/version-range.ts';
import type { FormatInput } from './format-input.ts';
import type { NameRule } from './name-rule.ts';
import { refuseNumbers } from './refuse-numbers.ts';
import type { HostAccess, SyncFile, SyncSource } from './sync-file.ts';

const ofRegistry: KnownKeys = {
  images: true,
  'images-by-tag-regex': true,
  'images-by-semver': true,
  credentials: { username: true, password: true },
  'tls-verify': true,
  'cert-dir': true,
};

/** Reads a file of skopeo. Its destination is never in the file. @throws OciError CONFIG_INVALID, USAGE */
export function readSkopeoFormat({ document, file, destination }: FormatInput): SyncFile {
  const whole = fieldsOf({ ...document, columnOf: document.columnOfValue }, file);
  refuseUnknownKeys(document, Object.fromEntries(whole.keys().map((host) => [host, ofRegistry])), file);
  if (!destination) {
    throw new OciError('USAGE', `${file} does not say where its images go: it has the format of skopeo`, {
      hint: `name a destination: ocictl sync ${file} registry.example.com/mirror`,
    });
  }
  const access = new Map<string, HostAccess>();
  const sources = whole.keys().flatMap((host): readonly SyncSource[] => {
    const fields = whole.object(host);
    if (!fields) return [];
    access.set(host, readAccess(fields, host));
    return readRegistry(fields, host, destination);
  });
  if (sources.length === 0) throw configError(whole.origin, 'no registry has images');
  return { sources, access };
}

function readRegistry(fields: Fields, host: string, destination: NameRule): readonly SyncSource[] {
  const source = (path: string, origin: Origin, tags: readonly TagRule[]): SyncSource => {
    const text = `${host}/${path}`;
    const { domain, path: repositories, tag, digest } = at(origin, () => parseReference(text));
    if ((tag ?? digest) !== undefined) throw configError(origin, `${quote(path)} is not a repository: it has a tag`);
    const unchanged = { platforms: [], referrers: false, digestTags: false };
    return { origin, host: domain, text, repositories, tags, ...unchanged, to: [destination] };
  };
  const filtered = (key: string, filterOf: (word: Sourced<string>) => TagFilter): readonly SyncSource[] =>
    fields.members(key).map(([path, { value, origin }]) => {
      if (typeof value !== 'string') throw configError(origin, `${quote(path)} needs a string`);
      const filters = [filterOf({ value, origin })];
      return source(path, origin, [{ origin, text: value, names: [], filters, newest: undefined }]);
    });
  const named = fields.members('images').map(([path, list]) => source(path, list.origin, namedTags(path, list)));
  return [...named, ...filtered('images-by-tag-regex', expressionFilter), ...filtered('images-by-semver', rangeFilter)];
}

/** An empty list means every tag. */
function namedTags(path: string, { value, origin }: Sourced<unknown>): readonly TagRule[] {
  const list = value ?? [];
  if (!Array.isArray(list)) throw configError(origin, `${quote(path)} needs a list of tags`);
  refuseNumbers({ value: list, origin });
  const names = list.map((word: unknown) => {
    if (typeof word !== 'string') throw configError(origin, `the tags of ${quote(path)} must be strings`);
    return at(origin, () => (tryParseDigest(word) === undefined ? parseTag(word) : parseDigest(word)));
  });
  if (names.length === 0) return [];
  return [{ origin, text: names.join(', '), names, filters: undefined, newest: undefined }];
}

function expressionFilter({ value, origin }: Sourced<string>): TagFilter {
  const expression = parseExpression(value, { whole: false });
  if (expression) return (tags) => matchingNames(tags, expression, origin);
  throw configError(origin, `${quote(value)} is not a regular expression that ocictl knows`);
}

function rangeFilter({ value, origin }: Sourced<string>): TagFilter {
  const range = parseVersionRange(value, { suffixes: false });
  if (range) return (tags) => tags.filter(range);
  throw configError(origin, `${quote(value)} is not a range of versions that ocictl knows`);
}

function readAccess(fields: Fields, host: string): HostAccess {
  const credentials = fields.object('credentials');
  const [username, password] = [credentials?.string('username')?.value, credentials?.string('password')?.value];
  if (credentials && (!username || password === undefined)) {
    throw configError(credentials.origin, 'credentials need a username and a password');
  }
  const directory = fields.string('cert-dir');
  // Our directories of certificates have one for each host.
  if (directory && basename(directory.value) !== host) {
    const hint = `name the directory ${host}: its parent can then also serve other hosts`;
    throw configError(directory.origin, `cert-dir must end with the name of its registry, ${host}`, hint);
  }
  return {
    ...(credentials && { creds: `${username}:${password}` }),
    ...(fields.boolean('tls-verify')?.value === false && { insecure: true }),
    ...(directory && { certsDir: dirname(directory.value) }),
  };
}
