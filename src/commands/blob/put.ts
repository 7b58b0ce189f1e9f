import type { Place } from '../../app/context.ts';
import type { InputFile } from '../../app/user-files.ts';
import { createHasher, type Digest, digestAlgorithm, parseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { parseReference } from '../../model/reference/reference.ts';
import { blobDescriptor } from '../../registry/content.ts';
import type { BlobWriter, PushBlobResult, SignalOption } from '../../registry/registry.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { jsonOption, registryOptions } from '../command-line/options.ts';
import { refuseTwoReaders } from '../command-line/several.ts';
import { openTarget } from '../moving/open-target.ts';

export const blobPut = defineCommand({
  name: 'blob put',
  summary: 'Upload a file as a blob, or mount one',
  description:
    'A blob that is there already is not sent again; what comes by a pipe is. The result is NAME@DIGEST. A registry\n' +
    'removes a blob sooner or later, unless a manifest names it.\n\n' +
    'With --mount-from, the registry takes the blob over from another of its repositories, without an upload. FILE is then\n' +
    'sent only if the registry cannot do that; without FILE, that is an error.',
  arguments: [
    { label: 'NAME', summary: 'The repository', arity: 'one', completes: 'image' },
    { label: 'FILE', summary: 'The content; - for standard input', arity: 'optional', completes: 'file' },
  ],
  options: {
    digest: value('--digest <digest>', 'The digest that the content must have'),
    mountFrom: value('--mount-from <name>', 'A repository of the same registry that has the blob; needs --digest'),
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'A file', command: 'blob put registry.example.com/team/app layer.tar.gz' },
    {
      text: 'A blob of another repository',
      command: 'blob put --mount-from registry.example.com/base/os --digest sha256:… registry.example.com/team/app',
    },
  ],
  async run({ words: [word = '', file], options }, context) {
    const { terminal, signal } = context;
    const digest = options.digest === undefined ? undefined : parseDigest(options.digest);
    refuseConflicts(file, digest, options);
    await using place = await openTarget(word, options, context);
    if (place.named) {
      throw new OciError('USAGE', `${word} names an image, and a blob belongs to a repository`, {
        hint: `leave the tag out: ${place.repository}`,
      });
    }
    const put =
      options.mountFrom === undefined || digest === undefined
        ? undefined
        : await mount(place, digest, options.mountFrom, { signal });
    if (!put && file === undefined) {
      throw new OciError('UNSUPPORTED', `the registry did not mount ${digest} from ${options.mountFrom}`, {
        hint: 'check that the blob is there, and that you may read that repository; or name a FILE to upload',
      });
    }
    const result = put ?? (await upload(place, await context.openInput(file ?? '-'), digest, signal));
    await place.finish();
    const { descriptor, outcome } = result;
    const reference = `${place.repository}@${descriptor.digest}`;
    const record = { reference, digest: descriptor.digest, size: descriptor.size, outcome };
    await terminal.out(`${options.json ? formatJson(record) : reference}\n`);
  },
});

function refuseConflicts(
  file: string | undefined,
  digest: Digest | undefined,
  { mountFrom, passwordStdin }: { readonly mountFrom: string | undefined; readonly passwordStdin: boolean },
): void {
  refuseTwoReaders(file, { passwordStdin });
  if (mountFrom !== undefined && digest === undefined) {
    throw new OciError('USAGE', '--mount-from needs --digest, which says what to mount');
  }
  if (file === undefined && mountFrom === undefined) {
    throw new OciError('USAGE', 'no file was named', {
      hint: 'usage: ocictl blob put NAME FILE, - for standard input',
    });
  }
}

/** @returns Undefined if the registry cannot mount it. @throws OciError USAGE for a repository of another registry */
async function mount(
  place: Place,
  digest: Digest,
  word: string,
  opts: SignalOption,
): Promise<PushBlobResult | undefined> {
  const { domain, path } = parseReference(word);
  if (place.hosted?.domain !== domain) {
    throw new OciError(
      'USAGE',
      `${word} is not in the registry of ${place.name}: blobs are mounted within one registry`,
    );
  }
  const mounted = await place.registry.mountBlob(place.repo, digest, { from: path, ...opts });
  if ('digest' in mounted) {
    // A registry need not tell the size of what it mounts.
    return { descriptor: await place.registry.statBlob(place.repo, digest, opts), outcome: 'mounted' };
  }
  await mounted.cancel();
  await mounted[Symbol.asyncDispose]();
  return undefined;
}

async function upload(
  place: Place,
  input: InputFile,
  expected: Digest | undefined,
  signal: AbortSignal,
): Promise<PushBlobResult> {
  if (input.size === undefined) return { descriptor: await send(place, input, expected, signal), outcome: 'pushed' };
  const { digest, size } = await hash(input, expected, async () => {}, signal);
  const descriptor = blobDescriptor(digest, size);
  return place.registry.pushBlob(place.repo, descriptor, input.source(descriptor), { signal });
}

/** Sends what can be read once, and whose digest is not known before its end. */
async function send(place: Place, input: InputFile, expected: Digest | undefined, signal: AbortSignal) {
  const algorithm = expected && digestAlgorithm(expected);
  await using writer: BlobWriter = await place.registry.startUpload(place.repo, { digestAlgorithm: algorithm, signal });
  try {
    const sum = await hash(input, expected, (chunk) => writer.write(chunk, { signal }), signal);
    return await writer.commit(sum, { signal });
  } catch (error) {
    await writer.cancel().catch(() => {});
    throw error;
  }
}

/** Hashes all bytes. @throws OciError DIGEST_MISMATCH if they have another digest than expected */
async function hash(
  input: InputFile,
  expected: Digest | undefined,
  write: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hasher = await createHasher(expected && digestAlgorithm(expected));
  let size = 0;
  for await (const chunk of input.read({ signal })) {
    hasher.update(chunk);
    size += chunk.length;
    await write(chunk);
  }
  const digest = hasher.digest();
  if (expected === undefined || digest === expected) return { digest, size };
  throw new OciError('DIGEST_MISMATCH', `${input.name} has the digest ${digest}, not ${expected}`, {
    hint: 'nothing was stored: name another file, or leave --digest out',
  });
}
