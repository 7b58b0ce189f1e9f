/** Opens what is inside an image, for the commands that look there. */
import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import type { ImageFiles } from '../../image/image-files.ts';
import { OciError } from '../../model/errors.ts';
import { hasImageConfig } from '../../model/manifest/image-config.ts';
import { type Manifest, schema1Refused } from '../../model/manifest/manifest.ts';
import { readFrom } from '../../places/place.ts';
import { judgeNow } from '../../transfer/plan/judge-now.ts';
import { flag, value } from '../command-line/command.ts';
import { parseCount, parseOnePlatform } from '../command-line/option-values.ts';
import { platformWords, policyOption, readingOptions } from '../command-line/options.ts';
import { Inspection } from '../inspect/gather.ts';
import { openSource } from '../save/source.ts';

/** Options of all these commands. */
export const insideOptions = {
  platform: value('--platform <os/arch>', 'Of the image for this platform', { choices: platformWords }),
  remote: flag('--remote', 'Read from the registry also what the local store has'),
  ...readingOptions,
};

export const layerOption = value('--layer <number>', 'Only this layer, as ocictl history counts them: 1 is the lowest');

/** Options of those that bring contents out of an image: what is read is judged. */
export const contentOptions = { ...insideOptions, policy: policyOption };

interface InsideFlags extends ServiceFlags {
  readonly platform: string | undefined;
  readonly remote: boolean;
}

/** An image whose files are read. */
export interface OpenedFiles extends AsyncDisposable {
  readonly place: Place;
  readonly image: Manifest;
  readonly inspection: Inspection;
  readonly files: ImageFiles;
}

/**
 * Opens an image: from the local store, if it has it, or wherever the word says.
 *
 * @param opts.reread Whether contents are read too, besides names.
 * @param opts.tables Whether tables of contents in layers are used.
 * @param opts.whiteouts Whether a layer by itself has whiteouts as files.
 * @throws OciError UNSUPPORTED for what is no image; what the place throws.
 */
export async function openFiles(
  word: string,
  flags: InsideFlags & { readonly layer?: string | undefined },
  context: Context,
  {
    reread,
    tables = false,
    whiteouts = false,
  }: { readonly reread: boolean; readonly tables?: boolean; readonly whiteouts?: boolean },
): Promise<OpenedFiles> {
  const { signal } = context;
  const layer = parseCount('--layer', flags.layer);
  const explicit = flags.platform !== undefined;
  const platform = flags.platform === undefined ? await context.defaultPlatform() : parseOnePlatform(flags.platform);
  const opened = await openSource(word, flags, context);
  try {
    // What the store has was judged when it came there.
    const isStored = opened.kind.prefix === 'store:';
    const judge = (): Promise<Place> => judgeNow(opened, { platforms: [platform], signal });
    const place = isStored ? opened : await readFrom(opened, judge);
    const inspection = new Inspection(place, { platform, explicit, signal });
    const image = await readFrom(place, () => inspection.image());
    const { ImageFiles } = await import('../../image/image-files.ts');
    const { ImageLayers } = await import('../../image/layers/image-layers.ts');
    const layers = new ImageLayers({
      registry: place.registry,
      repo: place.repo,
      layers: layersOf(image, place.name),
      kept: await context.keptEntries(),
      // What is on this machine is read twice where it is: a copy would cost more.
      reread: reread && place.hosted !== undefined,
      tables,
      onNote: (text) => context.terminal.note(text),
      signal,
    });
    const only = layer === undefined ? undefined : layer - 1;
    const files = new ImageFiles({
      layers,
      name: place.name,
      only,
      onSkip: (text) => context.terminal.warn(text),
      whiteouts: whiteouts && only !== undefined,
    });
    return {
      place,
      image,
      inspection,
      files,
      async [Symbol.asyncDispose]() {
        layers[Symbol.dispose]();
        await place[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

function layersOf({ view }: Manifest, name: string) {
  if (view.kind === 'schema1') throw schema1Refused(name);
  if (view.kind === 'image' && hasImageConfig(view)) return view.layers;
  throw new OciError('UNSUPPORTED', `${name} is no image: it has no file system`, {
    hint: 'ocictl artifact pull writes the files of an artifact',
  });
}
