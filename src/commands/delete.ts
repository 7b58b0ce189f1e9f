import type { Context, Place, ServiceFlags } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { differs } from './command-line/exit-status.ts';
import { jsonOption, registryOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { Turns } from './command-line/turns.ts';
import type { RetentionFlags } from './delete/apply-retention.ts';
import {
  type Deletion,
  type DeletionFlags,
  deleteDigest,
  dryRunOption,
  referrersOption,
} from './delete/delete-digest.ts';
import { createKeptManifests, keepManifests, refuseDrySave, saveOption } from './delete/keep-manifests.ts';
import { printDeletion } from './delete/print.ts';
import { parseRules, type RetentionRules } from './delete/rules.ts';

export const remove = defineCommand({
  name: 'delete',
  summary: 'Delete tags or manifests from a registry',
  description:
    'A tag is deleted alone; the manifest and its other tags stay. If the registry cannot delete a tag alone, nothing is\n' +
    'deleted and the error says so. A digest is deleted together with every tag that points at it; without --yes they are\n' +
    'only listed. What hangs on it stays behind without --referrers, and stderr says what that is. Images of the local store are removed with\n' +
    'ocictl rmi.\n\n' +
    'With --referrers, what refers to the manifest goes first, on all levels, and the manifest last: an interrupted deletion\n' +
    'can be repeated. What a tag or an index that stays points at stays. Of an index, the images stay too, with what hangs on\n' +
    'them. By rules, manifests are then deleted with their tags at every registry.\n\n' +
    '--save keeps the manifests and tags in an OCI archive before anything is deleted. As long as the registry has their\n' +
    'blobs, ocictl manifest put NAME oci-archive:FILE undoes the deletion.\n\n' +
    `${severalHelp}\n\n` +
    'With --match, --older-than or --keep, REF is a repository, and a tag of it is deleted only if every rule given allows\n' +
    'it. The age of a tag is the creation time in the image config. Reading it takes two or three requests for each tag, and\n' +
    'the request for the manifest counts as a pull where a registry limits pulls. A tag without a known age is kept. Tags\n' +
    'that belong to an image (sha256-….sig) are kept, unless a pattern begins with sha256-. On a terminal, the tags are\n' +
    'listed and you are asked. Without a terminal, or if all tags of the repository would go, --yes is required.\n\n' +
    'If the registry deletes by digest only, a manifest is deleted with its tags, but not if a tag that stays points at it or\n' +
    'at an index that contains it. Stderr says which tags were kept, and why.',
  arguments: [severalImages('REF', 'NAME:TAG or NAME@DIGEST, or by rules NAME')],
  options: {
    match: list('--match <pattern>', 'Delete tags that match, as pr-*; may be repeated: any of them'),
    olderThan: value('--older-than <age>', 'Delete only tags whose image is older, as 30d, 2w or 12h'),
    keep: value('--keep <n>', 'Keep the n youngest of the tags that match'),
    referrers: referrersOption,
    save: saveOption,
    dryRun: dryRunOption,
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
    const { terminal } = context;
    const rules = parseRules(options);
    refuseDrySave(options);
    if (rules) return deleteByRules(words, rules, options, context);
    let found = 0;
    const references = await readReferences(words, context, options);
    await using kept = await createKeptManifests(options.save, references, context);
    // Those of one repository in turn, as a tag may point at what another reference deletes.
    const turns = new Turns();
    let opening: Promise<unknown> = Promise.resolve();
    await forEachReference(references, { terminal, what: 'deleted' }, async (word) => {
      const opened = opening.then(() => context.openPlace(word, 'removal', options));
      const removing = opened.then((place) =>
        turns.run(place.repository, () => removeOne(place, word, { ...options, kept }, context)),
      );
      opening = opened.catch(() => {});
      const deletion = await removing;
      if (options.dryRun) found += deletion.names.length;
      return () => printDeletion(deletion, options, terminal);
    });
    return found > 0 ? differs : 0;
  },
});

/** Deletes what one reference names, or says what would go. @throws OciError USAGE if it names no image */
async function removeOne(opened: Place, word: string, flags: DeletionFlags, context: Context): Promise<Deletion> {
  await using place = opened;
  if (!place.named) {
    throw new OciError('USAGE', `${word} names neither a tag nor a digest`, {
      hint: 'say which: a delete never means latest; --match, --older-than and --keep choose tags by rules',
    });
  }
  const { tag } = place;
  if (tag !== undefined && flags.referrers) {
    throw new OciError(
      'USAGE',
      `${place.name} is a tag, which is deleted alone: the manifest stays, with what hangs on it`,
      {
        hint: `delete the manifest: ocictl manifest delete --referrers ${place.name}`,
      },
    );
  }
  const deletion = await (tag === undefined
    ? deleteDigest(place, flags, context)
    : deleteTag(place, tag, flags, context.signal));
  if (!flags.dryRun) await place.finish();
  return deletion;
}

async function deleteByRules(
  [word = '', another]: readonly string[],
  rules: RetentionRules,
  options: ServiceFlags & RetentionFlags & { readonly save: string | undefined },
  context: Context,
): Promise<number> {
  if (another !== undefined || word === '-') {
    throw new OciError('USAGE', 'by rules, tags of one repository are deleted, and several are named');
  }
  await using kept = await createKeptManifests(options.save, { several: false }, context);
  await using place = await context.openPlace(word, 'removal', options);
  if (place.named) {
    throw new OciError('USAGE', `rules choose among the tags of a repository, and ${place.name} names one image`, {
      hint: `leave the tag or digest out: ${place.repository}`,
    });
  }
  const { applyRetention } = await import('./delete/apply-retention.ts');
  return await applyRetention(place, rules, { ...options, kept }, context);
}

/** Nothing is left behind: the manifest stays. @throws OciError MANIFEST_UNKNOWN; UNSUPPORTED where it cannot be deleted alone */
async function deleteTag(
  place: Place,
  tag: Tag,
  { dryRun = false, kept }: DeletionFlags,
  signal: AbortSignal,
): Promise<Deletion> {
  const deletion = { names: [place.name], leftBehind: [] };
  if (dryRun || kept) {
    const { digest } = await place.registry.statManifest(place.repo, tag, { signal });
    if (dryRun) return deletion;
    if (kept) await keepManifests(place, [{ digest, tags: [tag] }], kept, signal);
  }
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
  return deletion;
}
