import { OciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { quote } from '../model/quote.ts';

/** A line of progress has less than a kilobyte. */
const maxLineBytes = 64 * 1024;
const hints: readonly (readonly [RegExp, string])[] = [
  [/no space left/i, 'make room on its disk: docker system df, docker system prune'],
  [/invalid tar header/, 'Docker before 23 unpacks no layers in zstd: update it, or send an image with layers in gzip'],
];

/** Of what it says about images, this much is kept. */
const maxLines = 10_000;

/**
 * Reads the answer to a load: lines of JSON, of which each may report the failure, although the status is 200.
 *
 * @param name The daemon's, in messages.
 * @returns What it says, line by line: `Loaded image: alpine:3`.
 * @throws OciError UNKNOWN if it refused the archive, with its `reason` in the detail; PROTOCOL for an answer that is malformed, or says nothing of an image.
 */
export async function readLoadResult(body: AsyncIterable<Uint8Array>, name: string): Promise<readonly string[]> {
  const said: string[] = [];
  for await (const line of linesOf(body, name)) {
    const { stream, error } = readLine(line, name);
    if (error !== undefined) throw refused(name, error);
    if (stream !== undefined && said.length < maxLines) said.push(...stream.split('\n').filter((part) => part !== ''));
  }
  const loaded = said.filter((text) => /^Loaded image/.test(text));
  if (loaded.length > 0) return loaded;
  const words = said.length === 0 ? '' : `, only ${quote(said.join(' '))}`;
  throw new OciError('PROTOCOL', `${name} says nothing of an image that it loaded${words}`, {
    hint: 'docker images shows whether the image is there',
  });
}

async function* linesOf(body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > maxLineBytes) throw malformed(name, rest);
  }
  yield rest + decoder.decode();
}

function readLine(line: string, name: string): { readonly stream?: string; readonly error?: string } {
  if (line.trim() === '') return {};
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    throw malformed(name, line);
  }
  if (typeof value !== 'object' || value === null) throw malformed(name, line);
  const fields = value as Record<string, unknown>;
  const { errorDetail: detail } = fields;
  const told = typeof detail === 'object' && detail !== null && 'message' in detail ? detail.message : fields['error'];
  const stream = fields['stream'];
  if (detail !== undefined || fields['error'] !== undefined) return { error: textOf(told ?? fields['error']) };
  return typeof stream === 'string' ? { stream } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'it gives no reason';
}

function malformed(name: string, line: string): OciError {
  return new OciError('PROTOCOL', `${name} answers with a line that is not JSON: ${quote(line)}`);
}

function refused(name: string, reason: string): OciError {
  const hint = hints.find(([pattern]) => pattern.test(reason))?.[1];
  return new OciError('UNKNOWN', `${name} refuses the image: ${quote(reason, 400)}`, {
    hint,
    detail: { reason },
    retryable: false,
  });
}
