/** The keys of regsync's files, and those of them that ocictl does not honour. */
import { configError } from '../../config/documents/config-error.ts';
import type { Fields } from '../../config/documents/fields.ts';
import type { KnownKeys } from '../../config/documents/known-keys.ts';
import { quote } from '../../model/quote.ts';

/** In `defaults` and in each entry. They say when regsync runs, or how it works: a single run of ocictl needs none of them. */
const withoutMeaning = { interval: true, schedule: true, parallel: true, fastCheck: true, referrerSlow: true } as const;

/** They change what is copied or what else happens, and are refused unless they are empty. */
const refused = {
  backup: 'nothing is kept under another name before a tag moves',
  ratelimit: 'ocictl says before it starts if a limit on pulls is too low',
  referrerFilters: 'all referrers are copied, or none',
  referrerSource: 'referrers are read from the repository of their image',
  referrerTarget: 'referrers are written to the repository of their image',
  forceRecursive: 'what is under the same digest is complete in a registry',
  includeExternal: 'layers with URLs are left where they are',
  mediaTypes: 'all kinds of manifests are copied',
  hooks: 'no program is run',
} as const;

const common: Readonly<Record<string, true>> = {
  ...withoutMeaning,
  ...asKeys(refused),
  referrers: true,
  digestTags: true,
};
const filter = { allow: true, deny: true } as const;
const tags = { ...filter, semverRange: true } as const;

export const regsyncKeys: KnownKeys = {
  version: true,
  creds: [{ registry: true, user: true, pass: true, tls: true, repoAuth: true }],
  defaults: { ...common, blobLimit: true, cacheCount: true, cacheTime: true, userAgent: true },
  sync: [
    {
      ...common,
      source: true,
      target: true,
      type: true,
      platform: true,
      platforms: true,
      tags,
      tagSets: [tags],
      repos: filter,
    },
  ],
};

/** @throws OciError CONFIG_INVALID for a key that cannot be honoured. */
export function refuseWithoutEffect(fields: Fields): void {
  for (const [key, reason] of Object.entries(refused)) {
    const given = fields.any(key);
    if (given && !isEmpty(given.value)) throw configError(given.origin, `${quote(key)} cannot be honoured`, reason);
  }
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isEmpty);
  return value === false || value === '' || value === 0 || value === null;
}

function asKeys(words: Readonly<Record<string, string>>): Record<string, true> {
  return Object.fromEntries(Object.keys(words).map((key) => [key, true]));
}
