import type { Context, Place } from '../app/context.ts';
import type { Sbom, SearchedImage } from '../artifacts/sbom/find-sboms.ts';
import type { OpenSbom } from '../artifacts/sbom/open-sbom.ts';
import { type SbomFormat, sbomFormats } from '../artifacts/sbom/sbom-types.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { readFrom } from '../places/place.ts';
import { imageHelp } from '../places/places.ts';
import { readContent } from '../registry/content.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseChoice, parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';
import { Inspection } from './inspect/gather.ts';
import { printGiven } from './inspect/print-given.ts';
import { searchedImage } from './sbom/searched-image.ts';

/** On a terminal a document is made harmless as a whole. */
const maxShownBytes = 64 * 1024 * 1024;

const placeWords: Readonly<Record<Sbom['place'], string>> = {
  buildkit: "BuildKit's attestation",
  bundle: 'a sigstore bundle',
  attestation: "cosign's attestation",
  referrer: 'an artifact that refers to it',
  attachment: "cosign's attachment",
};

export const sbom = defineCommand({
  name: 'sbom',
  summary: "Print an image's list of parts (SBOM), wherever it is kept",
  description:
    `${imageHelp('REF')}\n` +
    'It is looked for in the attestations of BuildKit in the index, then in what refers to the image or its index: sigstore\n' +
    "bundles, cosign's attestations (.att), other artifacts, and cosign's attachments (.sbom). The first is printed, byte for\n" +
    'byte; of an attestation, the predicate. An attestation that is about another image is not taken. Stderr says where it was\n' +
    'found. No signature is verified.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    type: value('--type <type>', `The format: ${sbomFormats.join(', ')}; by default the first that is there`, {
      choices: sbomFormats,
    }),
    list: flag('--list', 'List what is there, in place of printing one: format, where it is kept, and its manifest'),
    output: value('-o, --output <file>', 'Write it to this file'),
    platform: value('--platform <os/arch>', 'Of the image for this platform'),
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    { text: 'What an image is made of', command: 'sbom registry.example.com/team/app:1.0 | jq .name' },
    {
      text: 'As CycloneDX, into a file',
      command: 'sbom --type cyclonedx -o app.json registry.example.com/team/app:1.0',
    },
    { text: 'Which there are', command: 'sbom --list registry.example.com/team/app:1.0' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { signal } = context;
    const { type: named, platform: on, list, json, output } = options;
    const type = named === undefined ? undefined : parseChoice('--type', named, sbomFormats);
    const platform = on === undefined ? undefined : parseOnePlatform(on);
    refuseConflicts(options);
    await using place = await context.openPlace(word, 'source', options);
    const how = { platform: platform ?? (await context.defaultPlatform()), explicit: platform !== undefined, signal };
    const image = await searchedImage(new Inspection(place, how), how);
    if (list) return await listAll({ place, image, type, json }, context);
    const { found, opened } = await readFrom(place, () => firstOf({ place, image, type }, context));
    try {
      await print(opened, output, context);
    } finally {
      await opened.content.cancel();
    }
    const from = `${placeWords[found.place]} ${referenceOf(place, found)}`;
    context.terminal.note(`${opened.format ?? 'document'} from ${from}; it was not verified`);
    if (json) await context.terminal.out(`${formatJson(recordOf(place, { ...found, format: opened.format }))}\n`);
  },
});

interface Search {
  readonly place: Place;
  readonly image: SearchedImage;
  readonly type: SbomFormat | undefined;
}

/** @throws OciError USAGE */
function refuseConflicts(options: {
  readonly list: boolean;
  readonly json: boolean;
  readonly output: string | undefined;
}): void {
  const { list, json, output } = options;
  if (output === '-') throw new OciError('USAGE', '-o - is not needed: standard output is the default');
  if (list && output !== undefined) {
    throw new OciError('USAGE', 'conflicting options: --list and --output', { hint: 'leave one of them out' });
  }
  if (!json || list || output !== undefined) return;
  throw new OciError('USAGE', 'conflicting options: --json and a document on standard output', {
    hint: 'list with --list --json, or name a file with -o FILE',
  });
}

async function* findAll({ place, image, type }: Search, { signal }: Context): AsyncGenerator<Sbom> {
  const { findSboms } = await import('../artifacts/sbom/find-sboms.ts');
  for await (const found of findSboms(place, image, { signal })) {
    if (type === undefined || (found.format ?? type) === type) yield found;
  }
}

/** @throws OciError MANIFEST_UNKNOWN if there is none; why the only ones could not be taken. */
async function firstOf(search: Search, context: Context): Promise<{ readonly found: Sbom; readonly opened: OpenSbom }> {
  const { openSbom } = await import('../artifacts/sbom/open-sbom.ts');
  const { place, image, type } = search;
  const failures: OciError[] = [];
  for await (const found of findAll(search, context)) {
    try {
      const opened = await openSbom(place, found, image, context);
      if (opened && (type === undefined || opened.format === type)) {
        for (const { message } of failures) context.terminal.note(message);
        return { found, opened };
      }
      await opened?.content.cancel();
    } catch (error) {
      if (!isOciError(error, 'MANIFEST_INVALID', 'REFUSED', 'TOO_LARGE', 'BLOB_UNKNOWN')) throw error;
      failures.push(error);
    }
  }
  const [failure, ...others] = failures;
  if (!failure) throw none(search);
  for (const { message } of others) context.terminal.note(message);
  throw failure;
}

function none({ place, image, type }: Search): OciError {
  const { subjects, attestations } = image;
  const what = type === undefined ? 'no list of parts (SBOM)' : `no list of parts (SBOM) of the format ${type}`;
  const isInIndex = subjects.length > 1;
  const built = attestations.length === 0 ? 'the index has no attestation for it' : 'its attestations in the index';
  return new OciError('MANIFEST_UNKNOWN', `${place.name} has ${what}`, {
    hint: `looked at: ${isInIndex ? `${built}; ` : ''}what refers to ${subjects.join(' and ')}; their tags .att and .sbom`,
  });
}

async function print({ content }: OpenSbom, output: string | undefined, context: Context): Promise<void> {
  const { terminal, signal } = context;
  if (output === undefined && terminal.out$.isTTY) {
    return printGiven(terminal, await readContent(content, maxShownBytes));
  }
  await using file = await context.openOutput(output);
  await content.drainTo(file, { signal });
  await file.finish({ signal });
}

async function listAll(search: Search & { readonly json: boolean }, context: Context): Promise<void> {
  const { place, json } = search;
  let count = 0;
  await readFrom(place, async () => {
    for await (const found of findAll(search, context)) {
      count += 1;
      const columns = [found.format ?? 'unknown', placeWords[found.place], referenceOf(place, found)];
      await context.terminal.out(`${json ? formatJson(recordOf(place, found)) : columns.join('\t')}\n`);
    }
  });
  if (count === 0) throw none(search);
}

function recordOf(place: Place, found: Sbom): object {
  const { place: kind, format, subject, blob } = found;
  const { mediaType, digest, size } = blob;
  return { reference: referenceOf(place, found), kind, format, subject, mediaType, digest, size };
}

function referenceOf({ repository }: Place, { tag, manifest }: Sbom): string {
  return tag === undefined ? `${repository}@${manifest}` : `${repository}:${tag}`;
}
