import { OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import { readFrom } from '../places/place.ts';
import { imageHelp } from '../places/places.ts';
import { counted, formatBytes } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';

export const validate = defineCommand({
  name: 'validate',
  summary: 'Check every part of an image',
  description:
    `${imageHelp('REF')}\n` +
    'Reads every manifest, config and layer, and compares digests, sizes and types, what layers unpack to with what the config says,\n' +
    'the lines of the history with the layers, and platforms with those of the index. Each fault is a line; the status is then 7.\n' +
    'With --fast, layers are not read: the place is only asked whether it has them, and how large they are.\n\n' +
    'Images that an index names and the local store does not have are no fault. Nothing is changed.',
  arguments: [{ label: 'REF', summary: 'The image or index', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    fast: flag('--fast', 'Do not read layers'),
    quiet: flag('-q, --quiet', 'Print faults alone'),
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    { text: 'An image with all its platforms', command: 'validate registry.example.com/team/app:1' },
    { text: 'Whether a registry has all parts', command: 'validate --fast registry.example.com/team/app:1' },
    { text: 'An archive', command: 'validate oci-archive:app.tar' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { signal, terminal } = context;
    const { fast, json, quiet } = options;
    const { validateImage } = await import('../edit/validate.ts');
    await using place = await context.openPlace(word, 'source', options);
    const { root, manifests, blobs, bytes, faults, absent } = await readFrom(place, () =>
      validateImage(place, {
        fast,
        signal,
        sparse: place.sparse || place.kind.incomplete !== 'never',
        async onFault({ digest, problem }) {
          if (!json) await terminal.out(`${visible(`Fault: ${digest}: ${problem}`)}\n`);
        },
      }),
    );
    const valid = faults.length === 0;
    const reference = `${place.repository}@${root.digest}`;
    if (json) {
      const lacking = absent.map(({ digest }) => digest);
      const record = { reference, digest: root.digest, valid, manifests, blobs, bytes, faults, absent: lacking };
      await terminal.out(`${formatJson(record)}\n`);
    } else if (valid && !quiet) {
      const lacks = absent.length === 0 ? '' : `; ${counted(absent.length, 'image')} of its index not here`;
      const what = `${counted(manifests, 'manifest')}, ${counted(blobs, 'blob')} (${formatBytes(bytes)})`;
      await terminal.out(`Valid: ${reference}: ${what}${lacks}\n`);
    }
    if (valid) return;
    throw new OciError('MANIFEST_INVALID', `${place.name} has ${counted(faults.length, 'fault')}`, {
      hint: 'they are listed above; push or build the image again',
    });
  },
});
