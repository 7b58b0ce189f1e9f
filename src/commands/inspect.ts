import type { Context, Place } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { JsonDepthError, parseJson } from '../model/json.ts';
import { hasImageConfig, readImageConfig } from '../model/manifest/image-config.ts';
import { type Manifest, schema1Refused } from '../model/manifest/manifest.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import { parseTemplate, type Template } from '../terminal/template.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { configRecord } from './inspect/config-record.ts';
import { Inspection } from './inspect/gather.ts';
import { printGiven } from './inspect/print-given.ts';
import { renderImage } from './inspect/render.ts';
import { inspectedFields, skopeoRecord } from './inspect/skopeo.ts';

/** The indentation of skopeo's JSON. */
const skopeoJson = { indent: 4, escapeHtml: true } as const;

export const inspect = defineCommand({
  name: 'inspect',
  summary: 'Show what an image consists of, without pulling it',
  description:
    `${imageHelp('REF')}\n` +
    'For an image with several platforms, all are listed and the one for this machine is shown in full.\n\n' +
    '--json prints the keys of skopeo inspect, followed by a few more. --format takes a Go template for the same fields, or\n' +
    'with --config for the config; text between its actions may contain \\t and \\n.\n\n' +
    `With several references, --json prints one object per line, and --raw is an error. ${severalHelp}\n\n` +
    "This command's --config prints the config; the directory of Docker's config.json is named before the command:\n" +
    'ocictl --config DIR inspect REF.',
  arguments: [{ ...severalImages('REF'), storeToo: true }],
  options: {
    platform: value('--platform <os/arch>', 'Show the image for this platform'),
    json: jsonOption,
    format: value('-f, --format <template>', 'Print by a Go template, or json', { choices: ['json'] }),
    raw: flag('--raw', 'Print the manifest, or with --config the config, byte for byte'),
    config: flag('--config', "Print the image's config"),
    noTags: flag('--no-tags', 'Do not list the tags of the repository'),
    ...readingOptions,
  },
  examples: [
    { text: 'For people', command: 'inspect alpine' },
    { text: 'One label, for a script', command: `inspect --no-tags --format '{{index .Labels "version"}}' alpine` },
    { text: 'The manifest as the registry has it', command: 'inspect --raw registry.example.com/team/app:1.0' },
    { text: 'The config of another platform', command: 'inspect --config --platform linux/arm64 alpine' },
  ],
  async run({ words, options }, context) {
    refuseConflicts(options);
    const format = options.json ? 'json' : options.format;
    // Parse before any request, so that a wrong template is reported at once.
    const fields = options.config ? {} : { fields: inspectedFields };
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format, fields);
    const explicit = options.platform !== undefined;
    const platform =
      options.platform === undefined ? await context.defaultPlatform() : parseOnePlatform(options.platform);
    const { terminal, signal } = context;
    const references = await readReferences(words, context, options);
    if (references.several && options.raw) {
      throw new OciError('USAGE', '--raw prints one document byte for byte, and several are named');
    }
    const how = { ...options, format, template, json: references.several ? {} : skopeoJson };
    let count = 0;
    await forEachReference(references, { terminal, what: 'inspected', onlyAsks: true }, async (word) => {
      await using place = await context.openPlace(word, 'source', options);
      const inspection = new Inspection(place, { platform, explicit, signal });
      const print = await inspectOne(inspection, { ...how, explicit }, context);
      return async () => {
        // Separate the images with an empty line in the output for people.
        if (count > 0 && format === undefined && !options.config) await terminal.out('\n');
        await print();
        count += 1;
      };
    });
  },
});

interface Printing {
  readonly config: boolean;
  readonly raw: boolean;
  readonly noTags: boolean;
  readonly explicit: boolean;
  readonly format: string | undefined;
  readonly template: Template | undefined;
  /** The format of JSON output. */
  readonly json: typeof skopeoJson | Record<string, never>;
}

/** Asks for what is shown. @returns What prints it. */
async function inspectOne(inspection: Inspection, how: Printing, context: Context): Promise<() => Promise<void>> {
  const { terminal } = context;
  const { place } = inspection;
  const { explicit, template } = how;
  if (how.config) return printConfig(inspection, how, terminal);
  if (how.raw) {
    const { bytes } = await (explicit ? inspection.image() : inspection.root());
    return () => printGiven(terminal, bytes);
  }
  if (how.format === undefined) return printForEyes(inspection, explicit, context);
  const image = await inspection.image();
  if (image.view.kind === 'schema1') throw schema1Refused(place.name);
  const record = skopeoRecord({
    // A directory is not a repository: skopeo leaves the name out too.
    repository: place.kind.hasRepository ? place.repository : undefined,
    root: await inspection.root(),
    image,
    config: await inspection.config(image),
    entries: await inspection.entries(),
    tags: how.noTags ? [] : await listTags(place, context),
  });
  const shown = template ? template.render(record) : `${formatJson(record, how.json)}\n`;
  return () => (template ? printGiven(terminal, shown) : terminal.out(shown));
}

function refuseConflicts({ json, format, raw }: { json: boolean; format: string | undefined; raw: boolean }): void {
  const printing = [
    raw && '--raw',
    json && '--json',
    format !== undefined && !(json && format === 'json') && '--format',
  ];
  const [first, second] = printing.filter((word) => word !== false);
  if (second === undefined) return;
  throw new OciError('USAGE', `conflicting options: ${first} and ${second}`, {
    hint: 'each of them says what to print',
  });
}

async function printForEyes(
  inspection: Inspection,
  explicit: boolean,
  { terminal }: Context,
): Promise<() => Promise<void>> {
  const { place } = inspection;
  const root = await inspection.root();
  let image: Manifest | undefined;
  let missing: string | undefined;
  try {
    image = await inspection.image();
  } catch (error) {
    // The index is worth showing even if it has no image for this machine.
    if (explicit || root.view.kind !== 'index' || !isOciError(error, 'PLATFORM_UNKNOWN')) throw error;
    missing = `${error.message}; --platform shows another`;
  }
  const rendered = await renderImage(
    {
      name: place.name,
      root,
      image,
      missing,
      entries: await inspection.entries(),
      config: image && (await inspection.config(image)),
    },
    { now: new Date(), columns: terminal.outColumns },
  );
  return () => terminal.out(rendered);
}

async function printConfig(
  inspection: Inspection,
  { raw, template, json }: Printing,
  terminal: Terminal,
): Promise<() => Promise<void>> {
  const image = await inspection.image();
  const bytes = await inspection.configBytes(image);
  if (raw) return () => printGiven(terminal, bytes);
  if (template && hasImageConfig(image.view)) {
    const shown = template.render(configRecord(readImageConfig(bytes)));
    return () => printGiven(terminal, shown);
  }
  let config: unknown;
  try {
    config = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const problem = cause instanceof JsonDepthError ? 'nests too deep to be shown' : 'is not JSON';
    throw new OciError('MANIFEST_INVALID', `the config of ${inspection.place.name} ${problem}`, {
      cause,
      hint: 'inspect --config --raw prints it as it is',
    });
  }
  const shown = template ? template.render(config) : `${formatJson(config, json)}\n`;
  return () => (template ? printGiven(terminal, shown) : terminal.out(shown));
}

async function listTags(
  { registry, repo, name }: Place,
  { terminal, signal }: Context,
): Promise<readonly string[] | null> {
  const tags: string[] = [];
  try {
    for await (const tag of registry.tags(repo, { signal })) tags.push(tag);
    return tags;
  } catch (error) {
    // Amazon ECR requires a separate permission for lists, and its public registry has no lists at all.
    if (!isOciError(error, 'DENIED', 'UNAUTHORIZED', 'NAME_UNKNOWN', 'UNSUPPORTED')) throw error;
    terminal.warn(`${name}: the registry does not allow listing tags, so RepoTags is null; --no-tags does not ask`);
    return null;
  }
}
