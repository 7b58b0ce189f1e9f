import { OciError } from '../model/errors.ts';
import { describePlatform } from '../model/platform/platform.ts';
import { visible } from '../model/quote.ts';
import { readFrom } from '../places/place.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import { openBase, registryName } from './changing/base-places.ts';
import { defineCommand, value } from './command-line/command.ts';
import { differs } from './command-line/exit-status.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, platformWords, readingOptions } from './command-line/options.ts';
import { Inspection } from './inspect/gather.ts';

export const checkBase = defineCommand({
  name: 'check-base',
  summary: 'Tell whether the base of an image has changed',
  description:
    `${imageHelp('REF')}\n` +
    'Its base is --base, or what its annotation org.opencontainers.image.base.name says. It is up to date if that name still\n' +
    'has the digest of org.opencontainers.image.base.digest, or if the image begins with the layers that the base has now.\n' +
    'Otherwise the status is 12, and ocictl rebase or a new build brings the image up to date. Layers are not read.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    base: value('--base <ref>', 'The base, by a tag'),
    platform: value('--platform <os/arch>', 'Of the image for this platform', { choices: platformWords }),
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    { text: 'By the annotations', command: 'check-base registry.example.com/team/app:1' },
    { text: 'In a script', command: 'check-base registry.example.com/team/app:1 --base debian:12 || build' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { signal, terminal } = context;
    const explicit = options.platform !== undefined;
    const platform =
      options.platform === undefined ? await context.defaultPlatform() : parseOnePlatform(options.platform);
    await using source = await context.openPlace(word, 'source', options);
    const [{ saidBase }, { baseImage, firstDifference }, { readImageConfig }, { readConfig }] = await Promise.all([
      import('../edit/base/annotations.ts'),
      import('../edit/base/base-image.ts'),
      import('../model/manifest/image-config.ts'),
      import('../registry/config.ts'),
    ]);
    const inspection = new Inspection(source, { platform, explicit, signal });
    const image = await readFrom(source, () => inspection.image());
    if (image.view.kind !== 'image') throw new OciError('UNSUPPORTED', `${source.name} is no image`);
    const said = saidBase(image);
    const name = options.base ?? (said.name === undefined ? undefined : registryName(said.name));
    if (name === undefined) {
      throw new OciError('USAGE', `${source.name} does not say which base it has`, { hint: 'name it with --base' });
    }
    const { view } = image;
    const [bytes, base] = await Promise.all([
      readFrom(source, () => readConfig(source.registry, source.repo, view.config, { signal })),
      openBase(name, source, { srcCreds: options.creds }, context),
    ]);
    await using place = base;
    const config = readImageConfig(bytes);
    const { os, architecture, variant } = config;
    const own = { os, architecture, ...(variant && { variant }) };
    const [root, current] = await Promise.all([
      readFrom(place, () => place.registry.statManifest(place.repo, place.reference, { signal })),
      readFrom(place, () => baseImage(place, own, { signal })),
    ]);
    const { digest } = current.manifest.descriptor;
    const isSame =
      said.digest !== undefined && options.base === undefined && [digest, root.digest].includes(said.digest);
    const at = isSame ? undefined : firstDifference(config.diffIds, current.config.diffIds);
    const upToDate = at === undefined;
    const record = {
      reference: source.fullName,
      base: { name: place.fullName, digest, madeFrom: said.digest ?? null },
      upToDate,
    };
    const what = `${place.fullName}@${digest}, for ${describePlatform(own)}`;
    const text = upToDate ? `Up to date: ${what}` : `Changed: ${what}; layer ${at + 1} of it is another one`;
    await terminal.out(`${options.json ? formatJson(record) : visible(text)}\n`);
    return upToDate ? 0 : differs;
  },
});
