import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { processorMsOf } from '../support/processor-time.ts';
import { type HostileCase, parsers } from './parsers.ts';

interface LinearTime {
  readonly kibibytes: number;
  /** Processor time. Shorter times harm nobody. */
  readonly harmlessMs: number;
  /** Reads every text, also of parsers that take long for each. */
  readonly whole?: boolean;
}

interface Growth {
  readonly short: string;
  readonly long: string;
  /** What the long one took just now. */
  readonly longMs: number;
  readonly harmlessMs: number;
}

/** The growth limit for eight times as much input; quadratic time would grow 64 times. */
const linearGrowth = 24;

const pieces = [
  ...[
    'a',
    'A',
    ' ',
    '\t',
    '\n',
    ',',
    ';',
    '=',
    '"',
    "'",
    '\\',
    '\\"',
    '<',
    '>',
    '/',
    '0',
    '1',
    '-',
    '.',
    ':',
    '%',
    '?',
  ],
  ...['@', '_', '*', '[', ']', '(', '{', '}', '#', '&', '|', '$', '~', '+', ', ', '; ', ';a', ';a=', 'a ', 'a=', 'a="'],
  ...['a=",', '<a', '<a>', '<a>,', '<a>;', 'x"', '1s', '1.', '1.0', 'a.', 'a-', 'a/', '/a:', '::', '%2f', 'https://'],
  ...['https://a?', 'a@', '\u009b', '\u202e', '==', '= ', 'aA', '-.', '__', '\r\n', '\u0000', '\ud800'],
];

/** Tests every parser with every text. */
export function describeLinearTime({ kibibytes, harmlessMs, whole = false }: LinearTime): void {
  const bytes = kibibytes * 1024;
  // If an eighth takes less than this, the whole takes less than `harmlessMs`, even in cubic time.
  const promisingMs = harmlessMs / 8 ** 3;
  describe(`${kibibytes} KiB of hostile text`, () => {
    for (const [name, hostile] of Object.entries(parsers)) {
      it(`costs linear time where it is read as: ${name}`, async () => {
        const shorts = textsOf(hostile, bytes / 8);
        for (const [at, text] of textsOf(hostile, bytes).entries()) {
          if (!whole && at % (hostile.stride ?? 1) > 0) continue;
          const short = shorts[at] ?? '';
          if ((await costMs(hostile, short)) <= promisingMs) continue;
          const longMs = await costMs(hostile, text);
          if (longMs <= harmlessMs) continue;
          const growth = growsLinearly(hostile, { short, long: text, longMs, harmlessMs });
          assert.ok(await growth, `${text.slice(0, 60)}…${text.slice(-20)}`);
        }
      });
    }
  });
}

function textsOf({ starts = [], pieces: own = [], texts }: HostileCase, size: number): readonly string[] {
  // Documents are more than a repeated piece: they come from `texts`.
  const common = texts && starts.length === 0 ? [] : pieces;
  const repeated = [...common, ...own].map((piece) => piece.repeat(Math.ceil(size / piece.length)));
  const begun = ['', ...starts].flatMap((start) =>
    repeated.flatMap((text) => [start + text, `${start}${text}x\u0000`]),
  );
  return [...begun, ...(texts?.(size) ?? [])];
}

// Take the least of several times: other load only adds to them.
async function growsLinearly(
  hostile: HostileCase,
  { short, long, longMs: first, harmlessMs }: Growth,
): Promise<boolean> {
  let [shortMs, longMs] = [Number.POSITIVE_INFINITY, first];
  for (let round = 0; round < 6; round += 1) {
    // What is dear has been read once: its time counts before it is read again.
    if (round > 0) longMs = Math.min(longMs, await costMs(hostile, long));
    shortMs = Math.min(shortMs, await costMs(hostile, short));
    if (longMs <= harmlessMs || longMs <= shortMs * linearGrowth) return true;
  }
  return false;
}

async function costMs({ parse }: HostileCase, text: string): Promise<number> {
  return await processorMsOf(async () => {
    try {
      await parse(text);
    } catch (error) {
      // A refusal is fine; a stack overflow or a fault of ours is not.
      assert.ok(isOciError(error) || error instanceof SyntaxError, `${String(error)}: ${text.slice(0, 60)}…`);
    }
  });
}
