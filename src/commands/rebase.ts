import type { Context, Place } from '../app/context.ts';
import type { ImageDraft } from '../edit/image-draft.ts';
import { OciError } from '../model/errors.ts';
import type { Platform } from '../model/platform/platform.ts';
import { readFrom } from '../places/place.ts';
import { openBase, registryName } from './changing/base-places.ts';
import { joinedSource } from './changing/joined-source.ts';
import { changingHelp, parsePlatforms, platformsOption, resultOptions, targetOf } from './changing/options.ts';
import { openResult, openSource, type ResultFlags, writeEdited } from './changing/write-result.ts';
import { defineCommand, value } from './command-line/command.ts';

export const rebase = defineCommand({
  name: 'rebase',
  summary: 'Put an image on another base, without building it',
  description:
    `${changingHelp}\n\n` +
    'The layers of the old base must be the lowest ones of the image. They are replaced by those of the new base, and so are its\n' +
    'platform, its history and the settings that the image has from it: environment, labels, command and others. What the image\n' +
    'itself set or removed stays. Its files are not looked at: what was compiled against the old base must work on the new one.\n\n' +
    'Without --old-base and --new-base, the annotations org.opencontainers.image.base.name and .digest say which they are: the\n' +
    'image is put on what its base is now. They are set to the new base.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    ...resultOptions,
    platform: platformsOption,
    oldBase: value('--old-base <ref>', 'What the image is based on, best by digest'),
    newBase: value('--new-base <ref>', 'What it shall be based on'),
  },
  examples: [
    {
      text: 'On the current base, by its annotations',
      command: 'rebase registry.example.com/team/app:1 -t registry.example.com/team/app:1',
    },
    {
      text: 'On another base',
      command:
        'rebase registry.example.com/team/app:1 --old-base debian:12.5 --new-base debian:12.6 -t registry.example.com/team/app:1-12.6',
    },
  ],
  async run({ words: [word = ''], options }, context) {
    const target = targetOf(options.tag);
    const platforms = parsePlatforms(options.platform);
    const [{ editRoot }, { joined }] = await Promise.all([
      import('../edit/edit-root.ts'),
      import('../registry/wrappers/joined.ts'),
    ]);
    const { signal } = context;
    await using source = await openSource(word, options, context);
    await using destination = await openResult(target, source, options, context);
    const bases = new Bases(source, options, context);
    try {
      using edited = await readFrom(source, () =>
        editRoot(source, { platforms, signal, edit: (draft) => bases.rebase(draft) }),
      );
      const all = joined<Place>([source, ...bases.opened]);
      for (const { manifest, place } of bases.used) all.add(manifest, place);
      await writeEdited(edited, { source, from: joinedSource(all), destination }, options, context);
    } finally {
      await bases.close();
    }
  },
});

interface BaseFlags extends ResultFlags {
  readonly oldBase: string | undefined;
  readonly newBase: string | undefined;
}

/** The bases of the images that are changed, each opened once for a platform. */
class Bases {
  readonly #places = new Map<string, Promise<Place>>();
  readonly #source: Place;
  readonly #options: BaseFlags;
  readonly #context: Context;
  readonly opened: Place[] = [];
  readonly used: { readonly manifest: Awaited<ReturnType<Place['registry']['getManifest']>>; readonly place: Place }[] =
    [];

  constructor(source: Place, options: BaseFlags, context: Context) {
    this.#source = source;
    this.#options = options;
    this.#context = context;
  }

  async rebase(draft: ImageDraft): Promise<void> {
    const { oldBase, newBase } = this.#options;
    const [{ annotateBase, saidBase }, { baseImage }, { rebaseDraft }] = await Promise.all([
      import('../edit/base/annotations.ts'),
      import('../edit/base/base-image.ts'),
      import('../edit/base/rebase.ts'),
    ]);
    const said = saidBase(draft.original);
    const name = said.name === undefined ? undefined : registryName(said.name);
    const byDigest = name === undefined || said.digest === undefined ? undefined : withDigest(name, said.digest);
    const [oldWord, newWord] = [oldBase ?? byDigest, newBase ?? name];
    if (oldWord === undefined || newWord === undefined)
      throw unsaid(oldWord === undefined ? '--old-base' : '--new-base');
    const { signal } = this.#context;
    const { os, architecture, variant, osVersion } = draft.before;
    const platform = { os, architecture, ...(variant && { variant }), ...(osVersion && { osVersion }) };
    const [old, next] = await Promise.all(
      [oldWord, newWord].map(async (word) => {
        const place = await this.#open(word, platform);
        return { place, image: await readFrom(place, () => baseImage(place, platform, { signal })) };
      }),
    );
    if (!old || !next) return;
    rebaseDraft(draft, old.image, next.image, platform);
    this.used.push({ manifest: next.image.manifest, place: next.place });
    const shown = newBase === undefined ? said.name : next.place.hosted && next.place.fullName;
    if (draft.format === 'oci' && shown !== undefined) {
      annotateBase(draft, shown, next.image.manifest.descriptor.digest);
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.opened.map((place) => place[Symbol.asyncDispose]()));
  }

  #open(word: string, platform: Platform): Promise<Place> {
    // What a policy judges of an index is the image for the platform.
    const key = JSON.stringify([platform, word]);
    const opening =
      this.#places.get(key) ??
      openBase(word, this.#source, this.#options, this.#context, platform).then((place) => {
        this.opened.push(place);
        return place;
      });
    this.#places.set(key, opening);
    return opening;
  }
}

/** A name that has a tag takes a digest in its place. */
function withDigest(name: string, digest: string): string {
  const [bare = ''] = name.split('@');
  const slash = bare.lastIndexOf('/');
  const colon = bare.indexOf(':', slash);
  return `${colon < 0 ? bare : bare.slice(0, colon)}@${digest}`;
}

function unsaid(option: string): OciError {
  return new OciError('USAGE', `the image does not say which base it has, and ${option} is missing`, {
    hint: 'its annotations org.opencontainers.image.base.name and .digest would say it; name both bases',
  });
}
