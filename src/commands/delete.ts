import type { Place } from '../app/context.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { credentialOptions, directOptions, jsonOption } from './command-line/options.ts';

/** Requests at once, where each tag must be asked for its digest. */
const parallelQuestions = 8;

export const remove = defineCommand({
  name: 'delete',
  summary: 'Delete a tag or a manifest from a registry',
  description:
    'A tag is deleted alone; the manifest and its other tags stay. A registry that cannot delete a tag alone is left as it\n' +
    'is, and the error says so. A digest is deleted with every tag that points at it: they are listed, and nothing happens\n' +
    'without --yes. Images of the local store are removed with ocictl rmi.',
  arguments: [{ label: 'REF', summary: 'NAME:TAG or NAME@DIGEST', arity: 'one', completes: 'image' }],
  options: {
    yes: flag('-y, --yes', 'Delete a digest with all its tags'),
    json: jsonOption,
    ...directOptions,
    ...credentialOptions,
  },
  examples: [
    { text: 'One tag', command: 'delete registry.example.com/team/app:old' },
    { text: 'A manifest with all its tags', command: 'delete --yes registry.example.com/team/app@sha256:…' },
  ],
  async run({ words, options }, context) {
    const [word = ''] = words;
    await using place = await context.openPlace(word, 'removal', options);
    if (!place.named) {
      throw new OciError('USAGE', `${word} names neither a tag nor a digest`, {
        hint: 'say which: a delete never means latest',
      });
    }
    const removed =
      place.tag === undefined
        ? await deleteDigest(place, options.yes, context.signal)
        : await deleteTag(place, place.tag, context.signal);
    await place.finish();
    if (options.json) await context.terminal.out(`${formatJson({ deleted: removed })}\n`);
    else for (const name of removed) await context.terminal.out(`Deleted: ${name}\n`);
  },
});

async function deleteTag(place: Place, tag: Tag, signal: AbortSignal): Promise<readonly string[]> {
  try {
    await place.registry.deleteTag(place.repo, tag, { signal });
  } catch (error) {
    // distribution 2 takes a DELETE only by digest, and calls the tag an invalid one.
    if (!isOciError(error, 'UNSUPPORTED', 'DIGEST_INVALID')) throw error;
    const { digest } = await place.registry.statManifest(place.repo, tag, { signal });
    throw new OciError('UNSUPPORTED', `${place.name}: this registry cannot delete a tag alone`, {
      hint: `if it deletes at all, then the manifest with all its tags: ocictl delete --yes ${place.repository}@${digest}`,
      cause: error,
    });
  }
  return [place.name];
}

async function deleteDigest(place: Place, yes: boolean, signal: AbortSignal): Promise<readonly string[]> {
  const { digest } = await place.registry.statManifest(place.repo, place.reference, { signal });
  const names = [`${place.repository}@${digest}`];
  for (const tag of await tagsOf(place, digest, signal)) names.push(`${place.repository}:${tag}`);
  if (!yes) {
    throw new OciError('REFUSED', `this would delete ${names.join(', ')}`, {
      hint: 'add --yes to delete all of it',
    });
  }
  await place.registry.deleteManifest(place.repo, digest, { signal });
  return names;
}

async function tagsOf({ registry, repo }: Place, digest: Digest, signal: AbortSignal): Promise<readonly Tag[]> {
  const all: Tag[] = [];
  for await (const tag of registry.tags(repo, { signal })) all.push(tag);
  const found: Tag[] = [];
  const queue = all.values();
  const look = async (): Promise<void> => {
    for (const tag of queue) if ((await digestOf({ registry, repo }, tag, signal)) === digest) found.push(tag);
  };
  await Promise.all(Array.from({ length: parallelQuestions }, look));
  return found.sort();
}

// A list may name tags that are gone by now, or whose manifest was deleted under them.
async function digestOf({ registry, repo }: Pick<Place, 'registry' | 'repo'>, tag: Tag, signal: AbortSignal) {
  return (await unlessUnknown(registry.statManifest(repo, tag, { signal }), 'MANIFEST_UNKNOWN'))?.digest;
}
