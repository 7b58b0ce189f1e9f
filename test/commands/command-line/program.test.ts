import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandTable, firstWords, loadCommands } from '../../../src/commands/command-line/all-commands.ts';
import { OciError } from '../../../src/model/errors.ts';
import { ocictl } from '../../support/command.ts';
import { accept } from '../../support/network/accept.ts';

const commands = await loadCommands();

async function refused(words: readonly string[]): Promise<Pick<OciError, 'code' | 'message' | 'hint'>> {
  try {
    await accept(words);
  } catch (error) {
    if (error instanceof OciError) return error;
    throw error;
  }
  throw new Error(`accepted: ${words.join(' ')}`);
}

describe('the help of ocictl', () => {
  it('is printed on stdout with status 0, however it is requested', async (t) => {
    const asked = [[], ['--help'], ['-h'], ['help'], ['help', 'help']];
    const results = await Promise.all(asked.map((words) => ocictl(t, words)));
    for (const { exitCode, stdout, stderr } of results) {
      assert.deepEqual([exitCode, stderr], [0, '']);
      assert.equal(stdout, results[0]?.stdout);
    }
    assert.match(results[0]?.stdout ?? '', /^Usage: ocictl \[options\] COMMAND\n/);
  });

  it('lists every command under a heading, and nothing hidden', async () => {
    const { out } = await accept([]);
    for (const { name, summary, hidden } of firstWords())
      if (!hidden) assert.match(out, new RegExp(`^  ${name} +${summary.slice(0, 20)}`, 'm'));
    assert.doesNotMatch(out, /__complete/);
    assert.doesNotMatch(out, /^Commands:/m, 'src/commands/command-line/help.ts has no group for a command');
  });

  it('stays within 80 columns where there is no terminal', async () => {
    const pages = await Promise.all([[], ...commands.map(({ name }) => [...name.split(' '), '--help'])].map(accept));
    for (const { out } of pages) {
      for (const line of out.split('\n')) assert.ok(line.length <= 80 || line.startsWith('  ocictl '), line);
    }
  });
});

describe('the help of a command', () => {
  it('is the same from help, --help and -h', async () => {
    const { out } = await accept(['pull', '--help']);
    assert.match(out, /^Usage: ocictl pull \[options\] NAME\[:TAG\|@DIGEST\]\.\.\.\n/);
    assert.equal((await accept(['help', 'pull'])).out, out);
    assert.equal((await accept(['-v', 'pull', 'alpine', '-h'])).out, out);
  });

  it('shows options, global options and examples, each once', async () => {
    for (const { name, options, examples } of commands) {
      const { out } = await accept([...name.split(' '), '--help']);
      const headings = out.match(/^[A-Z][a-z ]+:$/gm) ?? [];
      assert.deepEqual(headings, [...new Set(headings)], name);
      const rows = out.split('\n').map((line) => line.trimStart());
      for (const { flags } of Object.values(options)) {
        assert.equal(rows.filter((row) => row.startsWith(`${flags}  `)).length, 1, `${name} ${flags}`);
      }
      for (const { command } of examples) assert.ok(out.includes(`\n  ocictl ${command}\n`), command);
    }
  });
});

describe('the command line', () => {
  it('takes global options before and after the command', async () => {
    const expected = { config: 'dir', verbosity: 1 };
    assert.deepEqual((await accept(['--config', 'dir', '-v', 'version'])).globals, expected);
    assert.deepEqual((await accept(['version', '--config=dir', '--verbose'])).globals, expected);
    assert.deepEqual((await accept(['--config', 'other', '-v', 'version', '--config', 'dir'])).globals, expected);
    for (const words of [
      ['-vv', 'version'],
      ['version', '-v', '--verbose'],
      ['-v', 'version', '-v'],
    ]) {
      assert.equal((await accept(words)).globals?.verbosity, 2, words.join(' '));
    }
  });

  it('tells a command from the arguments of another that look the same', async () => {
    const { globals } = await accept(['--config', 'images', 'rmi', 'pull', 'version']);
    assert.deepEqual(globals, { config: 'images', verbosity: 0 });
  });

  it('leaves a global word behind a command that means something else by it', async () => {
    for (const { name, options } of commands) {
      if (!Object.values(options).some(({ flags }) => flags === '--config')) continue;
      assert.deepEqual((await accept([name, '--config', 'x'])).globals, { config: undefined, verbosity: 0 });
      assert.equal((await accept(['--config', 'dir', name, '--config', 'x'])).globals?.config, 'dir');
    }
  });

  it('takes words after -- as arguments', async () => {
    assert.ok((await accept(['rmi', '--', '--json'])).globals);
  });

  it('refuses with a hint and status 2, on stderr alone', async (t) => {
    const { exitCode, stdout, stderr } = await ocictl(t, ['pul', 'alpine']);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.equal(stderr, "error: unknown command 'pul'\nhint: did you mean pull?\n");
  });

  it('tells a usage error as JSON too, when asked', async (t) => {
    const { exitCode, stdout, stderr } = await ocictl(t, ['pull', '--json']);
    assert.deepEqual([exitCode, stdout], [2, '']);
    const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
    assert.deepEqual([error.code, error.retryable], ['USAGE', false]);
  });

  for (const [words, message, hint] of [
    ['imges', /unknown command 'imges'/, /did you mean images\?/],
    ['nonsense', /unknown command 'nonsense'/, /ocictl --help/],
    ['nonsense --help', /unknown command 'nonsense'/, /ocictl --help/],
    ['help pul', /unknown command 'pul'/, /did you mean pull\?/],
    ['--verbos version', /unknown option '--verbos'/, /did you mean --verbose\?/],
    ['ls', /unknown command 'ls'/, /ocictl images .* ocictl tags/],
    ['cp a b', /unknown command 'cp'/, /did you mean copy\?/],
    ['list-tags x', /unknown command 'list-tags'/, /did you mean tags\?/],
    ['manifest x', /unknown command 'x'/, /ocictl manifest --help shows/],
    ['manifest fetch x', /unknown command 'fetch'/, /ocictl manifest get prints a manifest/],
    ['rm x', /unknown command 'rm'/, /ocictl rmi .* ocictl delete/],
    ['insp x', /unknown command 'insp'/, /did you mean inspect\?/],
    ['lgoin', /unknown command 'lgoin'/, /did you mean login\?/],
    ['xy', /unknown command 'xy'/, /ocictl --help/],
    ['help pull x', /too many arguments for 'help'/, /./],
    ['help nosuch', /unknown command 'nosuch'/, /ocictl --help/],
    ['copy --dest-tls-verify=false a b', /unknown option '--dest-tls-verify'$/, /--insecure-registry HOST/],
    ['rmi --creds=ada:secret a b', /unknown option '--creds'$/, /ocictl login .*--password-stdin/],
    ['inspect --override-arch arm64 a', /unknown option '--override-arch'/, /--platform OS\/ARCH/],
    ['pull --plat linux/arm64 a', /unknown option '--plat'/, /did you mean --platform\?/],
    ['push --registry-mirror http://x a', /unknown option '--registry-mirror'/, /--insecure-registry|push --help/],
    ['pull --quite alpine', /unknown option '--quite'/, /did you mean --quiet\?/],
    ['pull --verbos alpine', /unknown option '--verbos'/, /did you mean --verbose\?/],
    ['pull -x alpine', /unknown option '-x'/, /ocictl pull --help/],
    ['--quiet pull alpine', /unknown option '--quiet'/, /ocictl pull --quiet/],
    ['pull', /missing required argument 'NAME\[:TAG\|@DIGEST\]'/, /usage: ocictl pull \[options\] NAME/],
    ['rmi', /missing required argument 'IMAGE'/, /usage: ocictl rmi \[options\] IMAGE\.\.\./],
    ['logout a b', /too many arguments for 'logout'/, /usage: ocictl logout/],
    ['pull --platform', /option '--platform <os\/arch>' argument missing/, /ocictl pull --help/],
    ['--config', /option '--config <dir>' argument missing/, /ocictl --help/],
    [
      'with-login a sh -c true',
      /unknown option '-c'/,
      /after --: ocictl with-login \[options\] SERVER -- COMMAND\.\.\.$/,
    ],
    ['with-login --usrname x a', /unknown option '--usrname'/, /did you mean --username\?/],
    ['pull --json=yes alpine', /unknown option '--json'$/, /--json takes no value/],
  ] as const) {
    it(`refuses: ocictl ${words}`, async () => {
      const error = await refused(words.split(' '));
      assert.equal(error.code, 'USAGE');
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
    });
  }
});

describe('--platform of a command about one image', () => {
  for (const words of [['inspect'], ['digest'], ['doctor'], ['push']]) {
    it(`takes one platform for ${words[0]}`, async (t) => {
      const { exitCode, stdout, stderr } = await ocictl(t, [
        ...words,
        '--platform',
        'linux/amd64,linux/arm64',
        'x.invalid/a',
      ]);
      assert.deepEqual([exitCode, stdout], [2, '']);
      assert.match(stderr, /--platform takes one platform here.*\nhint: ocictl pull and ocictl copy take several/);
    });
  }
});

describe('the table of commands', () => {
  it('has the names and summaries of the commands themselves', async () => {
    for (const { name, summary, load } of commandTable) {
      const command = await load();
      assert.deepEqual([name, summary], [command.name, command.summary]);
    }
    assert.equal(new Set(commandTable.map(({ name }) => name)).size, commandTable.length);
  });

  it('has summaries that fit into a list: one line, a capital first, no full stop', () => {
    for (const { summary } of commandTable) assert.match(summary, /^[A-Z][^\n]{5,58}[^.\n]$/);
  });
});

describe('the examples in the help', () => {
  for (const { name, examples, arguments: list } of commands) {
    it(`of ${name} are accepted`, async () => {
      assert.ok(examples.length > 0 || list.length === 0, 'a command with arguments shows an example');
      for (const { command, text } of examples) {
        assert.match(text, /^\S.*[^.]$/);
        const words = shellWords(command);
        assert.equal(words.slice(0, name.split(' ').length).join(' '), name);
        assert.ok((await accept(words)).globals, command);
      }
    });
  }

  it('are taken apart as a shell does', () => {
    const words = shellWords(`login -u 'a b' "c $(ocictl images -q)" $(ocictl x y) z\\ z < file`);
    assert.deepEqual(words, ['login', '-u', 'a b', 'c $(ocictl images -q)', '$(ocictl x y)', 'z z']);
    assert.deepEqual(shellWords('pull a > b'), ['pull', 'a']);
    assert.deepEqual(shellWords('pull a | head'), ['pull', 'a']);
  });
});

/** The words of a command line up to a redirection or a pipe; `$(…)` is left unchanged. */
function shellWords(line: string): string[] {
  const words: string[] = [];
  const part = /'([^']*)'|"((?:\$\([^)]*\)|[^"])*)"|(\$\([^)]*\))|\\(.)|([^\s'"\\$<>|&;]|\$(?!\())/y;
  const gap = /\s*(?:[12]?[<>|&;].*)?/y;
  for (let at = 0; ; ) {
    gap.lastIndex = at;
    gap.exec(line);
    part.lastIndex = gap.lastIndex;
    let word: string | undefined;
    for (let found = part.exec(line); found; found = part.exec(line)) {
      word = (word ?? '') + found.slice(1).find((piece) => piece !== undefined);
      at = part.lastIndex;
    }
    if (word === undefined) return words;
    words.push(word);
  }
}
