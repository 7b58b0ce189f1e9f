import { digestAlgorithm } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { detectMediaType, readManifest } from '../../model/manifest/manifest.ts';
import { ociArchiveKind } from '../../places/oci-archive.ts';
import { splitDigest } from '../../places/split-digest.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { jsonOption, registryOptions } from '../command-line/options.ts';
import { readWhole } from '../command-line/read-whole.ts';
import { refuseTwoReaders } from '../command-line/several.ts';
import { openTarget } from '../moving/open-target.ts';

/** The file that is written as `oci-archive:FILE`. */
function archiveOf(word: string): string | undefined {
  const { prefix } = ociArchiveKind;
  return word.startsWith(prefix) ? word.slice(prefix.length) : undefined;
}

/** Registries accept 4 MiB; some take more. */
const maxBytes = 16 * 1024 * 1024;

export const manifestPut = defineCommand({
  name: 'manifest put',
  summary: 'Write a manifest, and a tag for it',
  description:
    'The bytes of FILE are sent unchanged. REF is NAME:TAG to set a tag too, NAME for the manifest alone, or NAME@DIGEST to\n' +
    'send it only if it has this digest. What the manifest names has to be there already, otherwise the registry refuses it.\n\n' +
    'Its media type is what it says itself, or what its fields imply. The result is NAME@DIGEST.\n\n' +
    'oci-archive:FILE is an archive that ocictl delete --save wrote: everything in it is put back into NAME, with its tags. A\n' +
    'tag that points at something else by now is refused. It works as long as the registry has the blobs.',
  arguments: [
    { label: 'REF', summary: 'NAME, NAME:TAG or NAME@DIGEST', arity: 'one', completes: 'image' },
    {
      label: 'FILE',
      summary: 'The manifest; - for standard input; or oci-archive:FILE',
      arity: 'one',
      completes: 'file',
    },
  ],
  options: {
    mediaType: value('--media-type <type>', 'The media type, in place of what the manifest says'),
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'A tag for a changed manifest', command: 'manifest put registry.example.com/team/app:1.1 manifest.json' },
    {
      text: 'The same manifest somewhere else',
      command: 'manifest put registry.example.com/other/app:1.0 - < app.json',
    },
    {
      text: 'Undo ocictl delete --save gone.tar',
      command: 'manifest put registry.example.com/team/app oci-archive:gone.tar',
    },
  ],
  async run({ words: [word = '', file = ''], options }, context) {
    const { signal, terminal } = context;
    refuseTwoReaders(file, options);
    const archive = archiveOf(file);
    if (archive !== undefined) {
      if (options.mediaType !== undefined) {
        throw new OciError('USAGE', 'conflicting options: --media-type and an archive', {
          hint: 'leave it out: the archive says the types of its manifests',
        });
      }
      return (await import('./put-archive.ts')).putArchive({ word, file: archive }, options, context);
    }
    const { name, digest } = splitDigest(word);
    const bytes = await readWhole(await context.openInput(file), { maxBytes, what: 'manifest', signal });
    const mediaType = options.mediaType ?? detectMediaType(bytes);
    const algorithm = digest && digestAlgorithm(digest);
    // Refused here if it is none, before a registry is asked.
    const { descriptor } = await readManifest({ mediaType, bytes }, algorithm);
    if (digest !== undefined && descriptor.digest !== digest) {
      throw new OciError('DIGEST_MISMATCH', `${file} has the digest ${descriptor.digest}, not ${digest}`, {
        hint: 'nothing was sent: name another file, or leave the digest out',
      });
    }
    await using place = await openTarget(name, options, context);
    const tags = place.named && place.tag !== undefined ? [place.tag] : [];
    await place.registry.pushManifest(place.repo, { mediaType, bytes }, { tags, digest: descriptor.digest, signal });
    await place.finish();
    const reference = `${place.repository}@${descriptor.digest}`;
    await terminal.out(`${options.json ? formatJson({ reference, ...descriptor, tags }) : reference}\n`);
  },
});
