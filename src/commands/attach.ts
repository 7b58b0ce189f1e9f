import type { Context, Place } from '../app/context.ts';
import { makeArtifact } from '../artifacts/push/artifact.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Platform } from '../model/platform/platform.ts';
import { readFrom } from '../places/place.ts';
import { splitDigest } from '../places/split-digest.ts';
import { formatJson } from '../terminal/json.ts';
import { describeNamed } from '../transfer/platforms.ts';
import { contentOptions, filesHelp, readContent } from './artifact/input.ts';
import { sendArtifact, sentRecord } from './artifact/send.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, platformWords, progressOption, registryOptions } from './command-line/options.ts';
import { openTarget } from './moving/open-target.ts';

export const attach = defineCommand({
  name: 'attach',
  summary: 'Attach files to an image or artifact',
  description:
    'Pushes an artifact that refers to REF: a signature, a list of parts, a report. REF itself does not change. It is in a\n' +
    'registry, a layout (oci:DIR:TAG) or the local store. Where a registry lists no referrers itself, the list under the tag\n' +
    'for that is written. The result is NAME@DIGEST.\n\n' +
    `${filesHelp}\n\n` +
    '--config is here the config of the artifact; the directory of config.json goes before: ocictl --config DIR attach.',
  arguments: [
    { label: 'REF', summary: 'The image or artifact, by tag or digest', arity: 'one', completes: 'image' },
    {
      label: 'FILE[:TYPE]',
      summary: 'A file or directory, or several; - for standard input',
      arity: 'any',
      completes: 'file',
    },
  ],
  options: {
    artifactType: value('--artifact-type <type>', 'What is attached, as a media type; needed'),
    platform: value('--platform <os/arch>', 'Attach it to the image for this platform, not to the index', {
      choices: platformWords,
    }),
    ...contentOptions,
    quiet: flag('-q, --quiet', 'Show no progress'),
    json: jsonOption,
    progress: progressOption,
    ...registryOptions,
  },
  examples: [
    {
      text: 'A list of parts',
      command:
        'attach registry.example.com/team/app:1 --artifact-type application/spdx+json sbom.spdx.json:application/spdx+json',
    },
    {
      text: 'A note, without a file',
      command: 'attach registry.example.com/team/app:1 --artifact-type application/vnd.example.approval -a by=ada',
    },
  ],
  async run({ words: [word = '', ...files], options }, context) {
    const { signal, terminal } = context;
    const { artifactType, quiet, progress } = options;
    if (artifactType === undefined) {
      throw new OciError('USAGE', 'attach needs --artifact-type, by which others find what is attached', {
        hint: 'write --artifact-type application/spdx+json, or another media type',
      });
    }
    const platform = options.platform === undefined ? undefined : parseOnePlatform(options.platform);
    const { name, digest } = splitDigest(word);
    const content = await readContent(files, options, context);
    if (files.length === 0 && Object.keys(content.options.annotations ?? {}).length === 0) {
      throw new OciError('USAGE', 'there is nothing to attach', { hint: 'name a file, or add --annotation KEY=VALUE' });
    }
    await using place = await openTarget(name, options, context);
    const subject = () => subjectOf(place, { word, digest, platform }, context);
    using made = await makeArtifact(content.files, { ...content.options, artifactType, subject });
    const { changed } = await sendArtifact(made, place, { tags: [], progress, quiet }, context);
    // It may be there without being listed, if an earlier run was stopped between both.
    if (!changed) await place.registry.pushManifest(place.repo, made.manifest, { signal });
    await place.finish();
    const record = sentRecord(made, place);
    await terminal.out(`${options.json ? formatJson(record) : record.reference}\n`);
  },
});

interface Named {
  readonly word: string;
  readonly digest: Digest | undefined;
  readonly platform: Platform | undefined;
}

/** @throws OciError MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; for the local store IMAGE_UNKNOWN */
async function subjectOf(place: Place, { word, digest, platform }: Named, { signal }: Context): Promise<Descriptor> {
  const { registry, repo, sparse, reference } = place;
  const end = { registry, repo, sparse, reference: digest ?? reference };
  try {
    return await readFrom(place, () => describeNamed(end, platform, { signal }));
  } catch (error) {
    if (!isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN') || platform !== undefined) throw error;
    throw new OciError('MANIFEST_UNKNOWN', `${word} is not there, so nothing can be attached to it`, {
      hint: 'push it first, or check its name',
      cause: error,
    });
  }
}
