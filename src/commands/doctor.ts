import type { Check, Context } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import { parseReference } from '../model/reference/reference.ts';
import { formatJson } from '../terminal/json.ts';
import { widthFor, wrapped } from '../terminal/width.ts';
import { defineCommand, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, policyOption, readingOptions } from './command-line/options.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Find out why a pull works or does not',
  description:
    'With a reference, it shows how the reference is read, which endpoints are asked in which order and why, their TLS\n' +
    'certificates and proxies, which credentials are used and where they are stored, what earlier commands learned of the\n' +
    'registry, its answers, its clock and its rate limit, what a policy says, and finally whether a pull would work. No image is stored, and no\n' +
    'secret is printed. Without a reference, it checks the files, the store and the credential helpers of this machine, and\n' +
    'lists what is known of hosts. The exit status is 0 only if a pull would work, otherwise that of the pull.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'optional', completes: 'image' }],
  options: {
    platform: value('--platform <os/arch>', 'Try the image for this platform'),
    forget: value('--forget <host>', 'Forget what was learned of a registry, and its tokens, and check nothing'),
    json: jsonOption,
    policy: policyOption,
    ...readingOptions,
  },
  examples: [
    { text: 'Why does this not pull?', command: 'doctor registry.example.com/team/app:1.2' },
    { text: 'What is set up on this machine', command: 'doctor' },
    { text: 'Find out anew what a registry can do', command: 'doctor --forget registry.example.com' },
  ],
  async run({ words, options }, context) {
    if (options.forget !== undefined) return forget(options.forget, { words, options }, context);
    const name = words[0] === undefined ? undefined : await context.imageName(words[0], options);
    const reference = name === undefined ? undefined : parseReference(name);
    const platform = options.platform === undefined ? undefined : parseOnePlatform(options.platform);
    const report = new Report(context, options.json);
    for await (const check of context.diagnose(reference, options)) await report.add(check);
    let failure: OciError | undefined;
    if (reference) {
      const { tryPolicy, tryPull } = await import('./doctor/try-pull.ts');
      try {
        await using place = await context.openPlace(name ?? '', 'source', options);
        const wanted = platform ?? (await context.defaultPlatform());
        const pulled = await tryPull(place, wanted, context.signal);
        for (const check of await tryPolicy(place, wanted, context.signal)) await report.add(check);
        await report.add(pulled);
      } catch (error) {
        if (!isOciError(error)) throw error;
        failure = error;
        await report.add({
          topic: 'pull',
          status: 'problem',
          text: `would fail: ${error.message}`,
          advice: error.hint,
        });
      }
    }
    await report.end();
    failure ??= report.failure;
    if (failure) throw options.json ? failure : alreadyShown(failure, name);
  },
});

/** The failure without what the table has just said. */
function alreadyShown(failure: OciError, name: string | undefined): OciError {
  const { code, status, endpoint, retryable } = failure;
  const message = name === undefined ? 'something is wrong on this machine' : `a pull of ${name} would fail`;
  return new OciError(code, message, { cause: failure, status, endpoint, retryable });
}

async function forget(
  server: string,
  { words, options }: { readonly words: readonly string[]; readonly options: { readonly json: boolean } },
  context: Context,
): Promise<void> {
  if (words.length > 0) {
    throw new OciError('USAGE', '--forget names a host, and no image is checked with it', {
      hint: 'leave one of them out',
    });
  }
  const { host, known } = await context.forgetHost(server);
  const text = known ? `Forgot what was learned of ${host}` : `Nothing was known of ${host}`;
  await context.terminal.out(options.json ? `${formatJson({ host, known })}\n` : `${text}\n`);
}

/** Of the status and the topic before each text. */
const headColumns = 23;
/** From so many columns on, texts stand beside their heads. */
const roomyColumns = 72;

class Report {
  readonly #checks: Check[] = [];
  readonly #context: Context;
  readonly #json: boolean;
  #endpoint: string | undefined;
  failure: OciError | undefined;

  constructor(context: Context, json: boolean) {
    this.#context = context;
    this.#json = json;
  }

  async add(check: Check): Promise<void> {
    this.#checks.push(check);
    if (check.endpoint === undefined && check.status === 'problem') this.failure ??= check.error;
    if (this.#json) return;
    const { endpoint, topic, status, text, advice } = check;
    if (endpoint !== this.#endpoint) await this.#print('');
    if (endpoint !== this.#endpoint && endpoint !== undefined) await this.#print(endpoint);
    this.#endpoint = endpoint;
    const head = `${status.padEnd(9)}${topic.padEnd(14)}`;
    for (const line of await this.#laidOut(head, visible(text), '')) await this.#print(line);
    if (advice === undefined) return;
    for (const line of await this.#laidOut('', visible(advice), '→ ')) await this.#print(line);
  }

  /** A text beside its head, or below it where the terminal is narrow. */
  async #laidOut(head: string, text: string, sign: string): Promise<readonly string[]> {
    const columns = this.#context.terminal.outColumns;
    const width = await widthFor([text]);
    const beside = headColumns + sign.length + width(text) <= columns;
    const indent = beside || columns >= roomyColumns ? headColumns : 2;
    const lines = wrapped(text, columns - indent - sign.length, width);
    const shown = lines.map((line, at) => (at === 0 ? sign : ' '.repeat(sign.length)) + line);
    if (indent < headColumns) return [...(head === '' ? [] : [head.trimEnd()]), ...shown.map((line) => `  ${line}`)];
    return shown.map((line, at) => (at === 0 ? head : '').padEnd(headColumns) + line);
  }

  async end(): Promise<void> {
    if (!this.#json) return;
    const checks = this.#checks.map(({ topic, endpoint, status, text, advice, detail }) => ({
      topic,
      endpoint,
      status,
      text,
      advice,
      detail,
    }));
    await this.#context.terminal.out(`${formatJson({ checks })}\n`);
  }

  #print(line: string): Promise<void> {
    return this.#context.terminal.out(`${visible(line)}\n`);
  }
}
