import type { End } from '../app.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Tag } from '../model/reference.ts';
import { defineCommand, flag } from './command.ts';
import { jsonOption, serviceOptions } from './options.ts';

export const remove = defineCommand({
  name: 'delete',
  summary: 'Delete a tag or a manifest from a registry',
  description:
    'A tag is deleted alone; the manifest and its other tags stay. A registry that cannot delete a tag alone is left as it\n' +
    'is, and the error says so. A digest is deleted with every tag that points at it: they are listed, and nothing happens\n' +
    'without --yes. Images of the local store are removed with ocictl rmi.',
  arguments: [{ label: 'REF', summary: 'NAME:TAG or NAME@DIGEST', arity: 'one', completes: 'image' }],
  options: {
    yes: flag('--yes', 'Delete a digest with all its tags'),
    json: jsonOption,
    ...serviceOptions,
  },
  examples: [
    { text: 'One tag', command: 'delete registry.example.com/team/app:old' },
    { text: 'A manifest with all its tags', command: 'delete --yes registry.example.com/team/app@sha256:…' },
  ],
  async run({ words, options }, context) {
    const [word = ''] = words;
    const end = await context.openEnd(word, 'repository', options);
    if (!end.named) {
      throw new OciError('USAGE', `${word} names neither a tag nor a digest`, {
        hint: 'say which: a delete never means latest',
      });
    }
    const removed =
      end.tag === undefined
        ? await deleteDigest(end, options.yes, context.signal)
        : await deleteTag(end, end.tag, context.signal);
    if (options.json) await context.terminal.out(`${JSON.stringify({ deleted: removed })}\n`);
    else for (const name of removed) await context.terminal.out(`Deleted: ${name}\n`);
  },
});

async function deleteTag(end: End, tag: Tag, signal: AbortSignal): Promise<readonly string[]> {
  try {
    await end.registry.deleteTag(end.repo, tag, { signal });
  } catch (error) {
    // distribution 2 takes a DELETE only by digest, and calls the tag an invalid one.
    if (!isOciError(error, 'UNSUPPORTED', 'DIGEST_INVALID')) throw error;
    const { digest } = await end.registry.statManifest(end.repo, tag, { signal });
    throw new OciError('UNSUPPORTED', `${end.name}: this registry cannot delete a tag alone: ${error.message}`, {
      hint: `delete the manifest with all its tags: ocictl delete --yes ${end.repository}@${digest}`,
      cause: error,
    });
  }
  return [end.name];
}

async function deleteDigest(end: End, yes: boolean, signal: AbortSignal): Promise<readonly string[]> {
  const { digest } = await end.registry.statManifest(end.repo, end.reference, { signal });
  const names = [`${end.repository}@${digest}`];
  for await (const tag of end.registry.tags(end.repo, { signal })) {
    const current = await end.registry.statManifest(end.repo, tag, { signal });
    if (current.digest === digest) names.push(`${end.repository}:${tag}`);
  }
  if (!yes) {
    throw new OciError('REFUSED', `this would delete ${names.join(', ')}`, {
      hint: 'add --yes to delete all of it',
    });
  }
  await end.registry.deleteManifest(end.repo, digest, { signal });
  return names;
}
