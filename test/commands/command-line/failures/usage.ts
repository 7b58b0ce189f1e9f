/** Failures caused by what the user wrote or configured. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ocictl } from '../../../support/command.ts';
import { ada, startPasswordRegistry } from '../../../support/login-servers.ts';
import { startServe } from '../../../support/registries.ts';
import { sandbox } from '../../../support/sandbox.ts';
import { writeConfig } from '../../login/stored-credentials.ts';
import { type Tries, uncontacted } from './tries.ts';

export const usage: Tries = {
  'the name is not a reference (`Ubuntu`, `https://…`)': [
    { run: (t) => ocictl(t, ['pull', 'Ubuntu']), error: /must be lowercase: "Ubuntu"/, hint: /did you mean ubuntu\?/ },
    {
      run: (t) => ocictl(t, ['inspect', 'https://quay.io/x/y']),
      error: /begins with "https:\/\/"/,
      hint: /did you mean quay\.io\/x\/y\?/,
    },
  ],
  'a template with a mistake, or with a field that does not exist': [
    {
      run: (t) => uncontacted(t, ['inspect', '--format', '{{.Name', '@/x']),
      error: /character 1: .*not closed/,
      hint: /single quotes/,
    },
    {
      run: (t) => uncontacted(t, ['inspect', '--format', '{{.Nope}}', '@/x']),
      error: /no field \.Nope/,
      hint: /\.Digest/,
    },
    { run: (t) => uncontacted(t, ['inspect', '--format', '{{f .Name}}', '@/x']), error: /no function f/, hint: /json/ },
    {
      run: (t) => uncontacted(t, ['search', '--format', '{{.Nope}}', '@/x']),
      error: /no field \.Nope/,
      hint: /\.Name/,
    },
  ],
  'a broken config.json or daemon.json, or `--config` with a file': [
    {
      async run(t) {
        const { dockerConfig } = await sandbox(t);
        await writeFile(join(dockerConfig, 'config.json'), '{"auths": {,');
        return uncontacted(t, ['pull', '@/x']);
      },
      error: /config\.json:1:12: not valid JSON/,
      hint: /correct .*nothing was contacted/,
    },
    {
      async run(t) {
        await writeFile((await sandbox(t)).daemonJson, '{"insecure-registries": 1}');
        return uncontacted(t, ['pull', '@/x']);
      },
      error: /daemon\.json:1:.*insecure-registries" must be a list/,
      hint: /^/,
    },
    {
      async run(t) {
        const file = join((await sandbox(t)).dockerConfig, 'config.json');
        return uncontacted(t, ['--config', file, 'pull', '@/x']);
      },
      error: /--config: .*config\.json is a file, not a directory/,
      hint: /the directory that holds config\.json/,
    },
  ],
  'no terminal to ask for a password, a credential helper that is not installed, an unknown search filter': [
    {
      run: (t) => uncontacted(t, ['login', '-u', 'ada', '@']),
      error: /interactive login from a non-TTY device/,
      hint: /--password-stdin/,
    },
    {
      async run(t) {
        await writeConfig(t, { credsStore: 'nowhere' });
        const { host } = await startPasswordRegistry(t);
        return ocictl(t, ['login', '-u', ada.username, '--password-stdin', host], { input: ada.password });
      },
      error: /docker-credential-nowhere is not on PATH/,
      hint: /install docker-credential-nowhere/,
    },
    {
      run: (t) => uncontacted(t, ['search', '--filter', 'is-free=true', '@/x']),
      error: /invalid filter 'is-free'/,
      hint: /is-official=true/,
    },
  ],
  "`serve` cannot listen: the port is taken, or the address is not this machine's": [
    {
      async run(t) {
        const { host } = await startServe(t);
        return ocictl(t, ['serve', '--memory', '--addr', host]);
      },
      error: /cannot listen on .*another program listens there/,
      hint: /port 0 takes a free one/,
    },
  ],
  'the `--root` of `serve` is missing, not a directory or not writable': [
    {
      run: (t) => ocictl(t, ['serve', '--root', 'none/registry']),
      error: /none/,
      hint: /^/,
    },
  ],
};
