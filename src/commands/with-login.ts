import { OciError } from '../model/errors.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { credentialOptions, directOptions } from './command-line/options.ts';

export const withLogin = defineCommand({
  name: 'with-login',
  summary: 'Run a command that is logged in to one registry',
  description:
    'The command gets a temporary Docker configuration with only the credentials of SERVER, which docker, podman, buildah,\n' +
    'skopeo, helm and oras read. It is erased when the command ends, however it ends. The credentials are the stored ones,\n' +
    'or those given here, which are checked first and not stored. The exit status is that of the command.',
  arguments: [
    { label: 'SERVER', summary: 'host[:port] of the registry, or HOST/NAMESPACE', arity: 'one', completes: 'nothing' },
    {
      label: 'COMMAND',
      summary: 'The command and its arguments, after --',
      arity: 'many',
      completes: 'nothing',
      foreign: true,
    },
  ],
  options: {
    username: credentialOptions.username,
    passwordStdin: credentialOptions.passwordStdin,
    noVerify: flag('--no-verify', 'Do not check the credentials at the registry'),
    ...directOptions,
  },
  examples: [
    {
      text: 'In CI, without a trace of the token',
      command:
        'with-login -u ci --password-stdin registry.example.com -- docker push registry.example.com/app < token.txt',
    },
    { text: 'One stored login, and no other, for a script', command: 'with-login ghcr.io/team -- ./release.sh' },
  ],
  async run({ words, options }, context) {
    const [name, ...command] = words;
    if (command.length === 0) {
      throw new OciError('USAGE', 'no command to run', { hint: 'write it after --, as in -- docker push …' });
    }
    const given = await context.account(options);
    const logins = await context.logins({ insecureRegistries: options.insecureRegistries, certsDir: options.certsDir });
    const { signal } = context;
    const config = await logins.temporaryConfig(logins.server(name), given, { signal, verify: !options.noVerify });
    return context.runWith(command, config);
  },
});
