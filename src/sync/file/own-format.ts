/** ocictl's own sync files; docs/sync.md describes their keys. */
import { at, configError } from '../../config/documents/config-error.ts';
import { type Fields, fieldsOf } from '../../config/documents/fields.ts';
import { type KnownKeys, refuseUnknownKeys } from '../../config/documents/known-keys.ts';
import type { Sourced } from '../../config/origin.ts';
import { OciError } from '../../model/errors.ts';
import { parseGlob } from '../../model/patterns/glob.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { quote } from '../../model/quote.ts';
import { parseReference } from '../../model/reference/reference.ts';
import { splitDomain } from '../../model/reference/reference-grammar.ts';
import { isReference } from '../../places/places.ts';
import { ofList } from '../tags/tag-rule.ts';
import type { FormatInput } from './format-input.ts';
import { type NameRule, nameRule } from './name-rule.ts';
import { ownTagRules } from './own-tag-rules.ts';
import type { SyncFile, SyncSource } from './sync-file.ts';

const ofImages = { to: true, platforms: true, referrers: true, 'digest-tags': true } as const;
const rule = { match: true, regex: true, semver: true, except: true, newest: true } as const;
const keys: KnownKeys = { ...ofImages, sources: [{ ...ofImages, from: true, tags: [rule] }] };

/** Reads a file of ocictl's own format. @throws OciError CONFIG_INVALID, USAGE */
export function readOwnFormat({ document, file, destination, compile }: FormatInput): SyncFile {
  refuseUnknownKeys(document, keys, file);
  const whole = fieldsOf({ ...document, columnOf: document.columnOfValue }, file);
  const read = (fields: Fields): Wishes => readWishes(fields, compile);
  const defaults = read(whole);
  const entries = whole.objects('sources');
  if (entries.length === 0) throw configError(whole.originOf('sources'), 'there are no sources');
  let needsDestination = false;
  const sources = entries.flatMap((entry) => {
    const own = read(entry);
    const named = own.to ?? defaults.to;
    needsDestination ||= named === undefined;
    const to = named ?? (destination && [destination]);
    if (!to) {
      throw configError(
        entry.origin,
        'nothing says where these images go',
        'add "to", or name a destination after FILE',
      );
    }
    const platforms = own.platforms ?? defaults.platforms ?? [];
    const referrers = own.referrers ?? defaults.referrers ?? false;
    const digestTags = own.digestTags ?? defaults.digestTags ?? false;
    return readFrom(entry).map((from): SyncSource => ({ ...from, to, platforms, referrers, digestTags }));
  });
  if (destination && !needsDestination) {
    throw new OciError('USAGE', `${file} says where every image goes, so ${quote(destination.text)} has no use`, {
      hint: 'leave it out, or remove "to" from the file',
    });
  }
  return { sources, access: new Map() };
}

interface Wishes {
  readonly to: readonly NameRule[] | undefined;
  readonly platforms: readonly Platform[] | undefined;
  readonly referrers: boolean | undefined;
  readonly digestTags: boolean | undefined;
}

function readWishes(fields: Fields, compile: FormatInput['compile']): Wishes {
  const to = fields.stringOrStrings('to').map((word) => nameRule(word, compile));
  const platforms = fields.stringOrStrings('platforms');
  if (platforms.length > 1 && platforms.some(({ value }) => value === 'all')) {
    fields.refuse('all, or a list of platforms', 'platforms');
  }
  const isGiven = (key: string): boolean => fields.any(key) !== undefined;
  return {
    to: isGiven('to') ? notEmpty(fields, 'to', to) : undefined,
    platforms: isGiven('platforms') ? notEmpty(fields, 'platforms', platforms).flatMap(readPlatform) : undefined,
    referrers: fields.boolean('referrers')?.value,
    digestTags: fields.boolean('digest-tags')?.value,
  };
}

function notEmpty<T>(fields: Fields, key: string, list: readonly T[]): readonly T[] {
  return list.length > 0 ? list : fields.refuse('a list that is not empty', key);
}

function readPlatform({ value, origin }: Sourced<string>): readonly Platform[] {
  return value === 'all' ? [] : [at(origin, () => parsePlatform(value))];
}

type From = Pick<SyncSource, 'origin' | 'text' | 'host' | 'repositories' | 'tags'>;

function readFrom(entry: Fields): readonly From[] {
  const words = entry.stringOrStrings('from');
  if (words.length === 0) throw configError(entry.origin, 'a source needs "from": a repository, or a pattern of some');
  const tags = ownTagRules(entry);
  return words.map((word) => (/[*?[\\]/.test(word.value) ? readPattern(word, tags) : readRepository(word, tags)));
}

function readRepository({ value, origin }: Sourced<string>, tags: SyncSource['tags'] | undefined): From {
  if (!isReference(value)) {
    const hint = 'ocictl copy --all-tags copies what is in a layout or the store';
    throw configError(origin, `${quote(value)} is not a repository of a registry`, hint);
  }
  const { domain: host, path: repositories, tag, digest } = at(origin, () => parseReference(value));
  const name = digest ?? tag;
  if (name !== undefined && tags) throw configError(origin, `${quote(value)} names one image, and "tags" others`);
  const one = { origin, text: value, names: name === undefined ? [] : [name], filters: undefined, newest: undefined };
  return { origin, text: value, host, repositories, tags: name === undefined ? (tags ?? []) : [one] };
}

function readPattern({ value, origin }: Sourced<string>, tags: SyncSource['tags'] | undefined): From {
  const { domain: host, rest } = splitDomain(value);
  const matches = /[*?[\\]/.test(host) ? undefined : parseGlob(rest);
  if (!matches) {
    const hint = 'write it as quay.io/team/* for what is right below, or quay.io/team/** for all below';
    throw configError(origin, `${quote(value)} is not a pattern of repositories`, hint);
  }
  return { origin, text: value, host, repositories: (names) => names.filter(matches), tags: (tags ?? []).map(ofList) };
}
