import { OciError } from '../model/errors.ts';
import { defaultTag, parseReference, toStoreName } from '../model/reference/reference.ts';
import { refuseMisread } from '../places/misread.ts';
import { leases } from '../registry/extensions.ts';
import { transfer } from '../transfer/transfer.ts';
import { defineCommand } from './command-line/command.ts';

export const tag = defineCommand({
  name: 'tag',
  summary: 'Give an image of the local store another name',
  description:
    'The image is named as in ocictl images, by tag, by digest or by image ID; nothing is copied. Without a tag, the new\n' +
    'name gets latest.',
  arguments: [
    { label: 'SOURCE', summary: 'Name, digest or image ID', arity: 'one', completes: 'image' },
    { label: 'TARGET[:TAG]', summary: 'The new name', arity: 'one', completes: 'image' },
  ],
  options: {},
  examples: [{ text: 'A name to push it under', command: 'tag alpine:3.20 registry.example.com/base/alpine:3.20' }],
  async run({ words }, context) {
    const [source = '', target = ''] = words;
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
    await transfer({
      from: { ...store, repo: image.repo, reference: image.digest },
      to: { ...store, repo: toStoreName(reference), tags: [reference.tag ?? defaultTag] },
      signal: context.signal,
    }).result;
  },
});
