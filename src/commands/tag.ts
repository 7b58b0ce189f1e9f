import type { Context } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import {
  defaultTag,
  familiarReference,
  parseReference,
  toStoreName,
  withDefaultTag,
} from '../model/reference/reference.ts';
import { looksLikeDomain } from '../model/reference/reference-grammar.ts';
import { refuseMisread } from '../places/misread.ts';
import { leases } from '../registry/extensions.ts';
import { transfer } from '../transfer/transfer.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { credentialOptions, directOptions, jsonOption, registryOptions } from './command-line/options.ts';

export const tag = defineCommand({
  name: 'tag',
  summary: 'Give an image another name, or a tag in its registry',
  description:
    'Names an image of the local store, as docker tag does. SOURCE is named as in ocictl images: by tag, by digest or by\n' +
    'image ID. Nothing is copied. Without a tag, the new name gets latest.\n\n' +
    'With --remote, SOURCE is an image in a registry, and each TARGET is a tag for its repository. The manifest is read\n' +
    'once and written under each tag, unchanged; no blob is moved or read. The local store is not touched.',
  arguments: [
    { label: 'SOURCE', summary: 'Name, digest or image ID', arity: 'one', completes: 'stored' },
    {
      label: 'TARGET[:TAG]',
      summary: 'The new name; with --remote one or more tags',
      arity: 'many',
      completes: 'stored',
    },
  ],
  options: {
    remote: flag('--remote', 'Set tags in the registry, not names in the local store'),
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'A name to push it under', command: 'tag alpine:3.20 registry.example.com/base/alpine:3.20' },
    { text: 'Two more tags in the registry', command: 'tag --remote registry.example.com/team/app:1.4.2 1.4 stable' },
  ],
  async run({ words: [source = '', ...targets], options }, context) {
    if (options.remote) return (await import('./tag/remote.ts')).tagRemote(source, targets, options, context);
    refuseRemoteOptions(options);
    const [target = '', another] = targets;
    if (another !== undefined) {
      throw new OciError('USAGE', `tag takes one new name, not ${targets.length}`, {
        hint: 'with --remote it sets several tags in a registry',
      });
    }
    await nameInStore(source, target, options.json, context);
  },
});

async function nameInStore(source: string, target: string, json: boolean, context: Context): Promise<void> {
  refuseMisread(target, 'image');
  const reference = parseReference(target);
  if (reference.digest !== undefined) {
    throw new OciError('REFERENCE_INVALID', 'refusing to create a tag with a digest reference', {
      hint: 'name a tag: the digest stays what it is',
    });
  }
  const image = await context.findImage(source);
  const registry = await context.store();
  const store = { registry, sparse: true };
  await using _lease = await registry.extension(leases)?.lease({ signal: context.signal });
  const { root } = await transfer({
    from: { ...store, repo: image.repo, reference: image.digest },
    to: { ...store, repo: toStoreName(reference), tags: [reference.tag ?? defaultTag] },
    signal: context.signal,
  }).result;
  const { terminal } = context;
  const name = familiarReference(withDefaultTag(reference));
  if (json) {
    const { formatJson } = await import('../terminal/json.ts');
    await terminal.out(`${formatJson({ reference: name, digest: root.digest, mediaType: root.mediaType })}\n`);
  }
  // In crane, this command would set the tag in the registry.
  if (terminal.err$.isTTY && !/[:/]/.test(target) && namesRegistry(source)) {
    terminal.note(
      `named ${name} in the local store; for the tag ${target} in the registry: ocictl tag --remote ${source} ${target}`,
    );
  }
}

function namesRegistry(word: string): boolean {
  const [first = '', ...rest] = word.split('/');
  return rest.length > 0 && looksLikeDomain(first);
}

/** Without --remote, no registry is asked. */
function refuseRemoteOptions(options: Readonly<Record<string, unknown>>): void {
  const [given] = [...Object.entries(directOptions), ...Object.entries(credentialOptions)].filter(
    ([key, { takes }]) => {
      const value = options[key];
      return takes === 'words' ? Array.isArray(value) && value.length > 0 : value !== undefined && value !== false;
    },
  );
  if (!given) return;
  const [word = ''] = given[1].flags.split(' ').filter((part) => part.startsWith('--'));
  throw new OciError('USAGE', `${word} is for --remote: the local store is named without asking a registry`);
}
