import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { processorMsOf } from '../support/processor-time.ts';
import { type HostileCase, parsers } from './parsers.ts';

interface LinearTime {
  readonly kibibytes: number;
  /** Of processor time. Below this much, nobody is harmed. */
  readonly harmlessMs: number;
}

/** Between eight times as much input; squares cost 64 times as much. */
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

/** Every parser at every text. */
export function describeLinearTime({ kibibytes, harmlessMs }: LinearTime): void {
  const bytes = kibibytes * 1024;
  // What takes less for an eighth takes less than that for the whole, were it the cube that grows.
  const promisingMs = harmlessMs / 8 ** 3;
  describe(`${kibibytes} KiB of hostile text`, () => {
    for (const [name, hostile] of Object.entries(parsers)) {
      it(`costs linear time where it is read as: ${name}`, async () => {
        const shorts = textsOf(hostile, bytes / 8);
        for (const [at, text] of textsOf(hostile, bytes).entries()) {
          const short = shorts[at] ?? '';
          if ((await costMs(hostile, short)) <= promisingMs || (await costMs(hostile, text)) <= harmlessMs) continue;
          const growth = growsLinearly(hostile, { short, long: text, harmlessMs });
          assert.ok(await growth, `${text.slice(0, 60)}…${text.slice(-20)}`);
        }
      });
    }
  });
}

function textsOf({ starts = [], pieces: own = [], texts }: HostileCase, size: number): readonly string[] {
  // A document is more than a piece repeated: it brings its own.
  const common = texts && starts.length === 0 ? [] : pieces;
  const repeated = [...common, ...own].map((piece) => piece.repeat(Math.ceil(size / piece.length)));
  const begun = ['', ...starts].flatMap((start) =>
    repeated.flatMap((text) => [start + text, `${start}${text}x\u0000`]),
  );
  return [...begun, ...(texts?.(size) ?? [])];
}

// The least of several: whatever else ran in between only adds.
async function growsLinearly(
  hostile: HostileCase,
  { short, long, harmlessMs }: { readonly short: string; readonly long: string; readonly harmlessMs: number },
): Promise<boolean> {
  let [shortMs, longMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 5; round += 1) {
    shortMs = Math.min(shortMs, await costMs(hostile, short));
    longMs = Math.min(longMs, await costMs(hostile, long));
    if (longMs <= harmlessMs || longMs <= shortMs * linearGrowth) return true;
  }
  return false;
}

async function costMs({ parse }: HostileCase, text: string): Promise<number> {
  return await processorMsOf(async () => {
    try {
      await parse(text);
    } catch (error) {
      // A refusal is an answer; a stack that overflows, or a fault of ours, is none.
      assert.ok(isOciError(error) || error instanceof SyntaxError, `${String(error)}: ${text.slice(0, 60)}…`);
    }
  });
}
