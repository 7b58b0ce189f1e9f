import type { Place } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Tag } from '../model/reference/reference.ts';
import { tagsPointingAt } from '../registry/tags.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { credentialOptions, directOptions, jsonOption } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp } from './command-line/several.ts';

export const remove = defineCommand({
  name: 'delete',
  summary: 'Delete a tag or a manifest from a registry',
  description:
    'A tag is deleted alone; the manifest and its other tags stay. A registry that cannot delete a tag alone is left as it\n' +
    'is, and the error says so. A digest is deleted with every tag that points at it: they are listed, and nothing happens\n' +
    'without --yes. Images of the local store are removed with ocictl rmi.\n\n' +
    severalHelp,
  arguments: [
    {
      label: 'REF',
      summary: 'NAME:TAG or NAME@DIGEST, or several; - reads them from standard input',
      arity: 'many',
      completes: 'image',
    },
  ],
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
    const { terminal, signal } = context;
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal, what: 'deleted' }, async (word) => {
      await using place = await context.openPlace(word, 'removal', options);
      if (!place.named) {
        throw new OciError('USAGE', `${word} names neither a tag nor a digest`, {
          hint: 'say which: a delete never means latest',
        });
      }
      const removed =
        place.tag === undefined
          ? await deleteDigest(place, options.yes, signal)
          : await deleteTag(place, place.tag, signal);
      await place.finish();
      if (options.json) await terminal.out(`${formatJson({ deleted: removed })}\n`);
      else for (const name of removed) await terminal.out(`Deleted: ${name}\n`);
    });
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
  const tags = await tagsPointingAt(place.registry, place.repo, digest, { signal });
  const names = [`${place.repository}@${digest}`];
  for (const tag of [...tags].sort()) names.push(`${place.repository}:${tag}`);
  if (!yes) {
    throw new OciError('REFUSED', `this would delete ${names.join(', ')}`, {
      hint: 'add --yes to delete all of it',
    });
  }
  await place.registry.deleteManifest(place.repo, digest, { signal });
  return names;
}
