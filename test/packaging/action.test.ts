import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { version } from '../../src/version.ts';
import { ada, startTokenRegistry } from '../support/login-servers.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox, temporaryDirectory } from '../support/sandbox.ts';

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: {
    readonly steps: readonly { readonly run: string; readonly env: Readonly<Record<string, string>> }[];
  };
}

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly uses?: string; readonly with?: Record<string, string> }[] }>
  >;
}

async function readYaml(...path: string[]): Promise<unknown> {
  return parse(await readFile(join(projectRoot, ...path), 'utf8'));
}

/**
 * Runs what the action runs, with what a runner gives it. npm writes down how it was called, and in place of what it would fetch
 * installs this checkout.
 */
async function setUp(t: TestContext, inputs: Readonly<Record<string, string>>) {
  const { env, home } = await sandbox(t);
  const runner = await temporaryDirectory(t);
  const [bin, calls] = [join(runner, 'bin'), join(runner, 'calls')];
  await mkdir(bin);
  for (const name of ['path', 'output', 'calls']) await writeFile(join(runner, name), '');
  await writeFile(
    join(bin, 'npm'),
    `#!/bin/sh
echo "npm $* $(env | grep -c horse)" >>'${calls}'
mkdir -p "$3/node_modules/.bin"
cat >"$3/node_modules/.bin/ocictl" <<'END'
#!/bin/sh
echo "ocictl $*" >>'${calls}'
exec '${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}' "$@"
END
chmod +x "$3/node_modules/.bin/ocictl"
`,
    { mode: 0o755 },
  );
  const given = { RUNNER_TEMP: runner, GITHUB_PATH: join(runner, 'path'), GITHUB_OUTPUT: join(runner, 'output') };
  const PATH = [bin, dirname(process.execPath), env['PATH']].join(delimiter);
  const script = join(projectRoot, 'action', 'set-up.sh');
  const options = { cwd: home, env: { ...env, ...given, PATH, ...inputs } };
  const { exitCode, stdout, stderr } = await start(t, 'bash', [script], options).result;
  const read = (name: string) => readFile(join(runner, name), 'utf8');
  return {
    exitCode,
    stdout,
    stderr,
    calls: await read('calls'),
    path: await read('path'),
    output: await read('output'),
    runner,
  };
}

describe('the GitHub action', () => {
  it('installs the version that it belongs to, and gives its inputs through the environment', async () => {
    const { inputs, runs } = (await readYaml('action.yml')) as Action;
    assert.equal(inputs['version']?.default, version);
    const [step] = runs.steps;
    assert.doesNotMatch(step?.run ?? '', /\$\{\{/);
    assert.deepEqual(
      Object.values(step?.env ?? {}),
      Object.keys(inputs).map((name) => `\${{ inputs.${name} }}`),
    );
  });

  it('is used by the example as it is', async () => {
    const { inputs } = (await readYaml('action.yml')) as Action;
    const { jobs } = (await readYaml('examples', 'github-workflow.yml')) as Workflow;
    const step = jobs['copy']?.steps.find(({ uses }) => uses?.includes('/ocictl@'));
    assert.equal(step?.uses, `OWNER/ocictl@v${version}`);
    assert.deepEqual(Object.keys(step?.with ?? {}), Object.keys(inputs));
    assert.equal(step?.with?.['version'], version);
  });

  it('has ocictl on PATH for the steps behind it, and tells the version', async (t) => {
    if (!needs(t, 'bash')) return;
    const done = await setUp(t, { OCICTL_VERSION: version });
    assert.deepEqual([done.exitCode, done.stderr], [0, '']);
    assert.match(done.calls, new RegExp(`^npm install --prefix \\S+ .*ocictl@${version} 0\nocictl --version\n$`));
    assert.equal(done.path, `${join(done.runner, `ocictl-${version}`, 'node_modules', '.bin')}\n`);
    assert.equal(done.output, `version=${version}\n`);
  });

  it('logs in with a password that no command line and no install has', async (t) => {
    if (!needs(t, 'bash')) return;
    const { registry } = await startTokenRegistry(t, { identityTokens: false });
    const account = { OCICTL_REGISTRY: registry.host, OCICTL_USERNAME: ada.username, OCICTL_PASSWORD: ada.password };
    const done = await setUp(t, { OCICTL_VERSION: version, ...account });
    assert.equal(done.exitCode, 0, done.stderr);
    assert.match(done.stdout, /Login Succeeded\n$/);
    assert.match(done.calls, new RegExp(`ocictl login --username ada --password-stdin ${registry.host}\n$`));
    assert.match(done.calls, /^npm .* 0$/m, 'npm has no variable with the password');
    assert.doesNotMatch(done.calls + done.stdout + done.stderr, /horse/);

    const wrong = await setUp(t, { OCICTL_VERSION: version, ...account, OCICTL_PASSWORD: 'another horse' });
    assert.equal(wrong.exitCode, 4, 'the status of the login is that of the step');
  });

  it('refuses unknown inputs before it installs anything', async (t) => {
    if (!needs(t, 'bash')) return;
    for (const [inputs, message] of [
      [{ OCICTL_VERSION: 'latest' }, 'version: name an exact one, such as 1.2.3'],
      [{ OCICTL_VERSION: '^1.0.0' }, 'version: name an exact one, such as 1.2.3'],
      [{ OCICTL_VERSION: '1.0.0 evil' }, 'version: name an exact one, such as 1.2.3'],
      [{ OCICTL_REGISTRY: 'a.example' }, 'username: is missing, to log in to a.example'],
      [
        { OCICTL_REGISTRY: 'a.example', OCICTL_USERNAME: 'ada' },
        'password: is empty, to log in to a.example; secrets are empty in pull requests of forks',
      ],
      [{ OCICTL_USERNAME: 'ada' }, 'registry: is missing, to log in as a user; Docker Hub is docker.io'],
    ] as const) {
      const done = await setUp(t, { OCICTL_VERSION: version, ...inputs });
      assert.deepEqual([done.exitCode, done.stdout, done.calls], [2, `::error title=ocictl::${message}\n`, '']);
    }
  });
});
