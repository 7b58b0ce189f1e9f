import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type RunResult, start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox } from '../support/sandbox.ts';

const scripts = {
  bash: join(projectRoot, 'completions', 'ocictl.bash'),
  zsh: join(projectRoot, 'completions', '_ocictl'),
  fish: join(projectRoot, 'completions', 'ocictl.fish'),
};
const bashCompletion = '/usr/share/bash-completion/bash_completion';
const images = ['alpine:3.20', 'alpine:edge', 'localhost:5000/team/app:v1', 'x:$(touch pwned)'];

/** A program in place of ocictl: lists images for the completion scripts, and otherwise prints its arguments. */
const standIn = `#!/bin/sh
if [ "$1" = __complete ]; then
  # What a registry has, for the word that was typed.
  [ "$3" = registry.test:5000/a/b:1 ] && printf '%s\\n' registry.test:5000/a/b:1.0
  printf '%s\\n' ${images.map((name) => `'${name}'`).join(' ')}
else
  printf 'GOT'; printf ' <%s>' "$@"; echo
fi
`;

async function inShellHome(t: TestContext): Promise<{ readonly home: string; readonly env: Record<string, string> }> {
  const { home, env } = await sandbox(t);
  const bin = join(home, 'bin');
  await mkdir(bin);
  await mkdir(join(home, 'registry data'));
  await writeFile(join(home, 'registry.txt'), '');
  await writeFile(join(bin, 'ocictl'), standIn);
  await chmod(join(bin, 'ocictl'), 0o755);
  return { home, env: { ...env, PATH: `${bin}:${env['PATH']}`, TERM: 'xterm-256color', COLUMNS: '120', LINES: '50' } };
}

async function run(t: TestContext, program: string, words: readonly string[], input = ''): Promise<RunResult> {
  const { home, env } = await inShellHome(t);
  const result = await start(t, program, words, { env, cwd: home, input, timeoutMs: 30_000 }).result;
  assert.equal(existsSync(join(home, 'pwned')), false, 'a name was run');
  return result;
}

/** Types a line, tabs included, into a shell on a terminal. @returns The words that ocictl was called with. */
async function typed(t: TestContext, shell: string, setup: string, line: string): Promise<string | undefined> {
  const { stdout } = await run(t, 'script', ['-qefc', shell, '/dev/null'], `${setup}\n${line}\nexit\n`);
  return /GOT (<.*>)/.exec(stdout)?.[1]?.replaceAll('> <', ' | ').slice(1, -1);
}

/** A typed line, and the resulting words. */
const lines: readonly (readonly [string, string])[] = [
  ['pul\talpine:3\t', 'pull | alpine:3.20'],
  ['pull localhost:5000/t\t', 'pull | localhost:5000/team/app:v1'],
  ['-v --config x pull -q alpine:e\t', '-v | --config | x | pull | -q | alpine:edge'],
  ['rmi alpine:3\tlocal\t', 'rmi | alpine:3.20 | localhost:5000/team/app:v1'],
  ['pull registry.test:5000/a/b:1\t', 'pull | registry.test:5000/a/b:1.0'],
  ['cata\tx', 'catalog | x'],
  ['pull --al\talpine:e\t', 'pull | --all-tags | alpine:edge'],
  ['completion z\t', 'completion | zsh'],
  ['help serv\t', 'help | serve'],
  ['manifest g\talpine:e\t', 'manifest | get | alpine:edge'],
  ['-v blo\tput --js\talpine:e\t', '-v | blob | put | --json | alpine:edge'],
];

describe('the completion scripts', () => {
  for (const [shell, flag] of [
    ['bash', '-n'],
    ['zsh', '-n'],
    ['fish', '--no-execute'],
  ] as const) {
    it(`parses in ${shell}`, async (t) => {
      if (!needs(t, shell)) return;
      const { exitCode, stderr } = await run(t, shell, [flag, scripts[shell]]);
      assert.deepEqual([exitCode, stderr], [0, '']);
    });
  }
});

for (const [kind, before] of [
  ['without bash-completion', ''],
  ['with bash-completion', `source ${bashCompletion}; `],
] as const) {
  describe(`bash ${kind}`, () => {
    const ready = (t: TestContext): boolean => {
      if (!needs(t, 'bash', 'script')) return false;
      if (before === '' || existsSync(bashCompletion)) return true;
      if (process.env['OCICTL_TEST_REQUIRE_PROGRAMS'] === '1') throw new Error('needs bash-completion');
      t.skip('needs bash-completion');
      return false;
    };
    for (const [line, words] of [
      ...lines,
      ['pull --platform linux/s3\talpine:3\t', 'pull | --platform | linux/s390x | alpine:3.20'],
      ['pull --platform=linux/amd64,linux/s3\talpine:3\t', 'pull | --platform=linux/amd64,linux/s390x | alpine:3.20'],
      ['serve --root=registry\\ \t --store', 'serve | --root=registry data/ | --store'],
      ['--config "registry d\t version', '--config | registry data/ | version'],
      ['serve --root regi\t', 'serve | --root | registry data/'],
      ['pull "alpine:e\t', 'pull | alpine:edge'],
      ['version --js\t < registry.t\t', 'version | --json'],
    ] as const) {
      it(`completes: ${line.replaceAll('\t', '⇥')}`, async (t) => {
        if (!ready(t)) return;
        assert.equal(
          await typed(t, 'bash --norc -i', `${before}source ${scripts.bash}; PS1='> '`, `ocictl ${line}`),
          words,
        );
      });
    }
  });
}

describe('zsh', () => {
  const setup = `fpath=(${join(projectRoot, 'completions')} $fpath); LISTMAX=1000; PS1='> '; autoload -Uz compinit; compinit -D -u`;

  for (const [line, words] of [
    ...lines,
    ['pull --platform linux/s3\t alpine:3\t', 'pull | --platform | linux/s390x | alpine:3.20'],
    ['pull --platform=linux/amd64,linux/s3\t alpine:3\t', 'pull | --platform=linux/amd64,linux/s390x | alpine:3.20'],
    ['serve --root=registry\\ \t --store', 'serve | --root=registry data | --store'],
    ['serve --root regi\t', 'serve | --root | registry data'],
  ] as const) {
    it(`completes: ${line.replaceAll('\t', '⇥')}`, async (t) => {
      if (!needs(t, 'zsh', 'script')) return;
      assert.equal(await typed(t, 'zsh -f -i', setup, `ocictl ${line}`), words);
    });
  }

  it('shows what options and commands are for', async (t) => {
    if (!needs(t, 'zsh', 'script')) return;
    const input = `${setup}\nocictl \t\nocictl pull --\t\nexit\n`;
    const { stdout } = await run(t, 'script', ['-qefc', 'zsh -f -i', '/dev/null'], input);
    assert.match(stdout, /rmi +-- Remove images from the local store/);
    assert.match(stdout, /--all-tags +-- Pull every tag of the repository/);
  });

  it('can read the script at its start, too', async (t) => {
    if (!needs(t, 'zsh', 'script')) return;
    const sourced = `autoload -Uz compinit; compinit -D -u; source ${scripts.zsh}; PS1='> '`;
    assert.equal(await typed(t, 'zsh -f -i', sourced, 'ocictl images --no\t'), 'images | --no-trunc');
  });
});

describe('fish', () => {
  const offers = async (t: TestContext, line: string): Promise<string[]> => {
    const { stdout } = await run(t, 'fish', [
      '--no-config',
      '-c',
      `source ${scripts.fish}; complete -C ${quote(line)}`,
    ]);
    return stdout.trimEnd().split('\n');
  };
  for (const [line, expected] of [
    ['ocictl rm', ['rmi\tRemove images from the local store']],
    ['ocictl pull --al', ['--all-tags\tPull every tag of the repository']],
    ['ocictl -v --config x pull -q alp', ['alpine:3.20\tImage', 'alpine:edge\tImage']],
    ['ocictl pull localhost:5000/t', ['localhost:5000/team/app:v1\tImage']],
    ['ocictl pull registry.test:5000/a/b:1', ['registry.test:5000/a/b:1.0\tImage']],
    ['ocictl cata', ['catalog\tList the repositories of a registry']],
    ['ocictl tags alpine alp', ['']],
    ['ocictl rmi alpine loc', ['localhost:5000/team/app:v1\tLocal image']],
    ['ocictl pull --platform linux/s3', ['linux/s390x\tPlatforms to pull, comma-separated, or all']],
    ['ocictl pull --platform=all,linux/s3', ['--platform=all,linux/s390x\tPlatforms to pull, comma-separated, or all']],
    ['ocictl serve --root regi', ['registry data/\tDirectory']],
    ['ocictl completion ', ['bash', 'fish', 'zsh']],
    ['ocictl help serv', ['serve']],
  ] as const) {
    it(`completes: ${line}⇥`, async (t) => {
      if (needs(t, 'fish')) assert.deepEqual(await offers(t, line), expected);
    });
  }
});

describe('the man pages', () => {
  it('have nothing that mandoc warns of', async (t) => {
    if (!needs(t, 'mandoc')) return;
    const { exitCode, stdout } = await run(t, 'sh', ['-c', `mandoc -Tlint -W warning '${projectRoot}'/man/*.1`]);
    assert.deepEqual([exitCode, stdout], [0, '']);
  });

  it('show options that can be copied', async (t) => {
    if (!needs(t, 'mandoc')) return;
    const { stdout } = await run(t, 'mandoc', ['-Tutf8', join(projectRoot, 'man/ocictl-pull.1')]);
    // mandoc prints bold as a character, a backspace and the character again.
    const plain = stdout.replaceAll(/.[\b]/g, '');
    assert.ok(plain.includes('ocictl pull --platform linux/amd64,linux/arm64 alpine:3.20'), plain);
  });
});

function quote(word: string): string {
  return `'${word.replaceAll("'", "\\'")}'`;
}
