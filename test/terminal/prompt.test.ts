import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { createPrompter, type InputStream, readSecret } from '../../src/terminal/prompt.ts';

/** A terminal that records what was done to it. */
function terminal({ isTTY = true } = {}) {
  const events: string[] = [];
  const input: InputStream & PassThrough = Object.assign(new PassThrough(), {
    isTTY,
    setRawMode: (raw: boolean) => events.push(raw ? 'raw' : 'cooked'),
  });
  const output = new PassThrough();
  output.on('data', (chunk: Buffer) => events.push(`shows ${JSON.stringify(chunk.toString())}`));
  return { input, output, events, type: (text: string | Uint8Array) => input.write(text) };
}

const interrupted = (error: unknown) => isOciError(error, 'CANCELLED');

describe('asking for a line', () => {
  it('leaves the echo to the terminal', async () => {
    const { input, output, events, type } = terminal();
    const asked = createPrompter({ input, output }).line('Username: ');
    type('ada\n');
    assert.equal(await asked, 'ada');
    assert.deepEqual(events, ['shows "Username: "']);
    assert.ok(input.isPaused(), 'or the process would wait for more');
  });

  it('keeps characters typed ahead for the next question', async () => {
    const { input, output, type } = terminal();
    const prompter = createPrompter({ input, output });
    type('ada\r\nsecret\nmore');
    assert.equal(await prompter.line(''), 'ada');
    assert.equal(await prompter.secret(''), 'secret');
    const last = prompter.secret('');
    type('!\r');
    assert.equal(await last, 'more!');
  });

  it('fails where the input ends', async () => {
    const { input, output } = terminal();
    const asked = createPrompter({ input, output }).line('');
    input.end();
    await assert.rejects(asked, (error) => isOciError(error, 'USAGE') && /input ended/.test(error.message));
  });

  it('needs a terminal', () => {
    const { input, output } = terminal({ isTTY: false });
    assert.throws(
      () => createPrompter({ input, output }),
      (error) =>
        isOciError(error, 'USAGE') && error.message === 'cannot perform an interactive login from a non-TTY device',
    );
  });
});

describe('asking for a secret', () => {
  it('turns the echo off before the question and on after the answer, and shows nothing of it', async () => {
    const { input, output, events, type } = terminal();
    const asked = createPrompter({ input, output }).secret('Password: ');
    for (const key of 'hunter2\r') type(key);
    assert.equal(await asked, 'hunter2');
    assert.deepEqual(events, ['raw', 'shows "Password: "', 'cooked', 'shows "\\n"']);
  });

  for (const [what, keys, expected] of [
    ['backspace', 'abx\u007fc\r', 'abc'],
    ['backspace over a character of two bytes', 'añ\bb\r', 'ab'],
    ['the key that erases the line', 'wrong\u0015right\r', 'right'],
    ['arrow keys and the marks of pasted text', '\u001b[200~pa\u001b[Dste\u001b[201~\u001bOA\r', 'paste'],
    ['other control keys', 'a\u0000b\tc\u001ad\r', 'abcd'],
    ['the end of input after text, as a terminal does', 'abc\u0004', 'abc'],
    ['nothing', '\r', ''],
  ] as const) {
    it(`understands ${what}`, async () => {
      const { input, output, type } = terminal();
      const asked = createPrompter({ input, output }).secret('');
      type(keys);
      assert.equal(await asked, expected);
    });
  }

  it('puts together a character whose bytes come apart', async () => {
    const { input, output, type } = terminal();
    const asked = createPrompter({ input, output }).secret('');
    const bytes = Buffer.from('€\n');
    for (const byte of bytes) type(Buffer.from([byte]));
    assert.equal(await asked, '€');
  });

  it('ends on Ctrl-C with the terminal set right', async () => {
    const { input, output, events, type } = terminal();
    const asked = createPrompter({ input, output }).secret('');
    type('half\u0003');
    await assert.rejects(asked, interrupted);
    assert.equal(events.filter((event) => event === 'cooked').length, 1);
  });

  it('ends with its signal, with the terminal set right', async () => {
    const { input, output, events } = terminal();
    const stop = new AbortController();
    const asked = createPrompter({ input, output, signal: stop.signal }).secret('');
    stop.abort(new Error('stopped'));
    await assert.rejects(asked, interrupted);
    assert.ok(events.includes('cooked'));
    await assert.rejects(createPrompter({ input, output, signal: stop.signal }).secret(''), interrupted);
  });
});

describe('reading a secret from a pipe', () => {
  const piped = (text: string): PassThrough => new PassThrough().end(text);
  for (const [text, expected] of [
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\r', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' secret ', ' secret '],
    ['\n', ''],
    ['', ''],
  ] as const) {
    it(`takes exactly one line ending off ${JSON.stringify(text)}`, async () => {
      assert.equal(await readSecret(piped(text), { maxBytes: 100 }), expected);
    });
  }

  it('has a limit', async () => {
    await assert.rejects(readSecret(piped('x'.repeat(101)), { maxBytes: 100 }), (error) => isOciError(error, 'USAGE'));
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const reading = readSecret(new PassThrough(), { maxBytes: 100, signal: stop.signal });
    stop.abort(new Error('stopped'));
    await assert.rejects(reading, /stopped/);
  });
});
