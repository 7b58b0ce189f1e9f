import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { readFrom } from '../../places/place.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { readingOptions } from '../command-line/options.ts';
import { requireDigest } from './digest-of-word.ts';

export const blobGet = defineCommand({
  name: 'blob get',
  summary: 'Print a blob, or a part of it',
  description:
    'The bytes go to standard output, or to a file that appears when it is complete. They are compared with the digest; a\n' +
    'wrong blob ends with status 7, and a file is then not written. Standard output has had the bytes by then. A range\n' +
    'cannot be compared.\n\n' +
    'The NAME of REF is a repository, oci:DIR or another place whose images are read.',
  arguments: [{ label: 'REF', summary: 'The blob, NAME@DIGEST', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    output: value('-o, --output <file>', 'Write it to this file'),
    range: value('--range <first-last>', 'Only these bytes, counted from 0: 0-1023, 512-'),
    ...readingOptions,
  },
  examples: [
    {
      text: 'The config of an image, made readable',
      command: 'blob get registry.example.com/team/app@sha256:… | jq .',
    },
    { text: 'A layer, into a file', command: 'blob get -o layer.tar.gz registry.example.com/team/app@sha256:…' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { signal } = context;
    const digest = requireDigest(word);
    const range = options.range === undefined ? undefined : parseRange(options.range);
    if (options.output === '-') throw new OciError('USAGE', '-o - is not needed: standard output is the default');
    await using place = await context.openPlace(word, 'source', options);
    const blob = await readFrom(place, () => place.registry.getBlob(place.repo, digest, { range, signal }));
    try {
      await using file = await context.openOutput(options.output);
      await blob.drainTo(file, { signal });
      await file.finish({ signal });
    } finally {
      await blob.cancel();
    }
  },
});

/** As in the header of HTTP, where the last byte is included. @throws OciError USAGE */
function parseRange(text: string): ByteRange {
  const [, first = '', last = ''] = /^(\d{1,15})-(\d{0,15})$/.exec(text) ?? [];
  const start = Number(first);
  const end = last === '' ? undefined : Number(last) + 1;
  if (first !== '' && (end === undefined || end > start)) return { start, end };
  throw new OciError('USAGE', `invalid range ${quote(text)}`, { hint: 'write FIRST-LAST or FIRST-, as 0-1023' });
}
