import type { Context, End } from '../app.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { parsePlatform } from '../model/platform.ts';
import { resolveImage } from '../transfer/platforms.ts';
import { defineCommand, flag, value } from './command.ts';
import { jsonOption, serviceOptions } from './options.ts';
import { runTransfer } from './transferring.ts';

export const copy = defineCommand({
  name: 'copy',
  summary: 'Copy an image from one place to another, unchanged',
  description:
    'Places are registry references, OCI layouts (oci:DIR[:TAG]) and the local store (store:NAME[:TAG]). An index is copied\n' +
    'whole, with attestations, unless --platform chooses one image of it. No byte changes, so digests stay. What the\n' +
    'destination has is not sent. The full name of the destination is printed.',
  arguments: [
    { label: 'SOURCE', summary: 'Where it is', arity: 'one', completes: 'image' },
    { label: 'DESTINATION', summary: 'Where it shall be', arity: 'one', completes: 'image' },
  ],
  options: {
    platform: value('--platform <os/arch>', 'Copy the image for this platform alone, without the index'),
    ifAbsent: flag('--if-absent', 'Refuse to overwrite a tag that points at something else'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    ...serviceOptions,
  },
  examples: [
    { text: 'Between registries', command: 'copy alpine:3.20 registry.example.com/base/alpine:3.20' },
    { text: 'Into a directory', command: 'copy registry.example.com/team/app:1 oci:app:1' },
  ],
  async run({ words, options }, context) {
    const [sourceWord = '', destinationWord = ''] = words;
    const source = await context.openEnd(sourceWord, 'source', options);
    const destination = await context.openEnd(destinationWord, 'destination', options);
    if (source.fullName === destination.fullName) {
      throw new OciError('USAGE', `source and destination are both ${source.fullName}`);
    }
    const reference =
      options.platform === undefined
        ? source.reference
        : (await resolveImage(source, parsePlatform(options.platform), { signal: context.signal })).descriptor.digest;
    const from = { ...source, reference };
    if (options.ifAbsent) await refuseOther(from, destination, context);
    const result = await runTransfer(context, {
      from,
      to: { ...destination, tags: destination.tag === undefined ? [] : [destination.tag] },
      mountFrom: source.domain !== undefined && source.domain === destination.domain ? source.repo : undefined,
      foreignLayers: destination.kind === 'registry' ? 'skip' : 'copy',
      parallelBlobs: await context.parallelDownloads(),
      title: `copying ${source.name} to ${destination.name}`,
      quiet: options.quiet,
    });
    const { root, changed, transferredBytes } = result;
    if (options.json) {
      const outcome = {
        destination: destination.fullName,
        digest: root.digest,
        mediaType: root.mediaType,
        changed,
        transferredBytes,
      };
      await context.terminal.out(`${JSON.stringify(outcome)}\n`);
    } else {
      await context.terminal.out(`${destination.fullName}\n`);
    }
  },
});

/** @throws OciError REFUSED where the tag exists with another digest. */
async function refuseOther(source: End, destination: End, { signal }: Context): Promise<void> {
  const there = await destination.registry
    .statManifest(destination.repo, destination.reference, { signal })
    .catch((error: unknown) => {
      if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
      throw error;
    });
  if (!there) return;
  const wanted = await source.registry.statManifest(source.repo, source.reference, { signal });
  if (there.digest === wanted.digest) return;
  throw new OciError('REFUSED', `${destination.name} is there already, as ${there.digest}`, {
    hint: 'leave --if-absent out to overwrite it, or choose another tag',
  });
}
