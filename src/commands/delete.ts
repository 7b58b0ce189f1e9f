import type { Context, Place, ServiceFlags } from '../app/context.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';
import { tagsPointingAt } from '../registry/tags.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { jsonOption, registryOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp } from './command-line/several.ts';
import { Turns } from './command-line/turns.ts';
import { parseRules, type RetentionRules } from './delete/rules.ts';

export const remove = defineCommand({
  name: 'delete',
  summary: 'Delete tags or manifests from a registry',
  description:
    'A tag is deleted alone; the manifest and its other tags stay. If the registry cannot delete a tag alone, nothing is\n' +
    'deleted and the error says so. A digest is deleted together with every tag that points at it; without --yes they are\n' +
    'only listed. Images of the local store are removed with ocictl rmi.\n\n' +
    `${severalHelp}\n\n` +
    'With --match, --older-than or --keep, REF is a repository, and a tag of it is deleted only if every rule given allows\n' +
    'it. The age of a tag is the creation time in the image config. Reading it takes two or three requests for each tag, and\n' +
    'the request for the manifest counts as a pull where a registry limits pulls. A tag without a known age is kept. Tags\n' +
    'that belong to an image (sha256-….sig) are kept, unless a pattern begins with sha256-. On a terminal, the tags are\n' +
    'listed and you are asked. Without a terminal, or if all tags of the repository would go, --yes is required.\n\n' +
    'If the registry deletes by digest only, a manifest is deleted with its tags, but not if a tag that stays points at it or\n' +
    'at an index that contains it. Stderr says which tags were kept, and why.',
  arguments: [
    {
      label: 'REF',
      summary: 'NAME:TAG or NAME@DIGEST, or several; - reads them from standard input; by rules: NAME',
      arity: 'many',
      completes: 'image',
    },
  ],
  options: {
    match: list('--match <pattern>', 'Delete tags that match, as pr-*; may be repeated: any of them'),
    olderThan: value('--older-than <age>', 'Delete only tags whose image is older, as 30d, 2w or 12h'),
    keep: value('--keep <n>', 'Keep the n youngest of the tags that match'),
    dryRun: flag('--dry-run', 'Only say what would be deleted; exit status 12 if there is something'),
    yes: flag('-y, --yes', 'Delete a digest with all its tags, or tags by rules, without asking'),
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'One tag', command: 'delete registry.example.com/team/app:old' },
    { text: 'A manifest with all its tags', command: 'delete --yes registry.example.com/team/app@sha256:…' },
    {
      text: 'Tags older than a month, except for the ten youngest: say what would go',
      command: "delete registry.example.com/team/app --match 'pr-*' --older-than 30d --keep 10 --dry-run",
    },
  ],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const rules = parseRules(options);
    if (rules) return deleteByRules(words, rules, options, context);
    let found = 0;
    const references = await readReferences(words, context, options);
    // Those of one repository in turn, as a tag may point at what another reference deletes.
    const turns = new Turns();
    let opening: Promise<unknown> = Promise.resolve();
    await forEachReference(references, { terminal, what: 'deleted' }, async (word) => {
      const opened = opening.then(() => context.openPlace(word, 'removal', options));
      const removing = opened.then((place) =>
        turns.run(place.repository, () => removeOne(place, word, options, signal)),
      );
      opening = opened.catch(() => {});
      const { names, key, title } = await removing;
      if (options.dryRun) found += names.length;
      return async () => {
        if (options.json) await terminal.out(`${formatJson({ [key]: names })}\n`);
        else for (const name of names) await terminal.out(`${title}: ${name}\n`);
      };
    });
    return found > 0 ? 12 : 0;
  },
});

/** Deletes what one reference names, or says what would go. @throws OciError USAGE if it names no image */
async function removeOne(
  opened: Place,
  word: string,
  { dryRun, yes }: { readonly dryRun: boolean; readonly yes: boolean },
  signal: AbortSignal,
): Promise<{ readonly names: readonly string[]; readonly key: string; readonly title: string }> {
  await using place = opened;
  if (!place.named) {
    throw new OciError('USAGE', `${word} names neither a tag nor a digest`, {
      hint: 'say which: a delete never means latest; --match, --older-than and --keep choose tags by rules',
    });
  }
  const { tag } = place;
  if (dryRun) {
    const names = tag === undefined ? (await tagsOfDigest(place, signal)).names : await namesOfTag(place, signal);
    return { names, key: 'wouldDelete', title: 'Would delete' };
  }
  const names = tag === undefined ? await deleteDigest(place, yes, signal) : await deleteTag(place, tag, signal);
  await place.finish();
  return { names, key: 'deleted', title: 'Deleted' };
}

async function deleteByRules(
  [word = '', another]: readonly string[],
  rules: RetentionRules,
  options: ServiceFlags & { readonly yes: boolean; readonly dryRun: boolean; readonly json: boolean },
  context: Context,
): Promise<number> {
  if (another !== undefined || word === '-') {
    throw new OciError('USAGE', 'by rules, tags of one repository are deleted, and several are named');
  }
  await using place = await context.openPlace(word, 'removal', options);
  if (place.named) {
    throw new OciError('USAGE', `rules choose among the tags of a repository, and ${place.name} names one image`, {
      hint: `leave the tag or digest out: ${place.repository}`,
    });
  }
  return (await import('./delete/apply-retention.ts')).applyRetention(place, rules, options, context);
}

/** @throws OciError MANIFEST_UNKNOWN */
async function namesOfTag(place: Place, signal: AbortSignal): Promise<readonly string[]> {
  await place.registry.statManifest(place.repo, place.reference, { signal });
  return [place.name];
}

async function deleteTag(place: Place, tag: Tag, signal: AbortSignal): Promise<readonly string[]> {
  try {
    await place.registry.deleteTag(place.repo, tag, { signal });
  } catch (error) {
    // distribution 2 accepts DELETE only by digest, and reports a tag as an invalid digest.
    if (!isOciError(error, 'UNSUPPORTED', 'DIGEST_INVALID')) throw error;
    const { digest } = await place.registry.statManifest(place.repo, tag, { signal });
    throw new OciError('UNSUPPORTED', `${place.name}: this registry cannot delete a tag alone`, {
      hint: `if it deletes at all, then the manifest with all its tags: ocictl delete --yes ${place.repository}@${digest}`,
      cause: error,
    });
  }
  return [place.name];
}

interface DigestWithTags {
  readonly digest: Digest;
  /** In the form that is shown, the digest first. */
  readonly names: readonly string[];
}

async function tagsOfDigest(place: Place, signal: AbortSignal): Promise<DigestWithTags> {
  const { digest } = await place.registry.statManifest(place.repo, place.reference, { signal });
  const tags = await tagsPointingAt(place.registry, place.repo, digest, { signal });
  const names = [`${place.repository}@${digest}`];
  for (const tag of [...tags].sort()) names.push(`${place.repository}:${tag}`);
  return { digest, names };
}

async function deleteDigest(place: Place, yes: boolean, signal: AbortSignal): Promise<readonly string[]> {
  const { digest, names } = await tagsOfDigest(place, signal);
  if (!yes) {
    throw new OciError('REFUSED', `this would delete ${names.join(', ')}`, {
      hint: 'add --yes to delete all of it',
    });
  }
  await place.registry.deleteManifest(place.repo, digest, { signal });
  return names;
}
