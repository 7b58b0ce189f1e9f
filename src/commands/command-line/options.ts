/** Options that several commands share, so that a flag has the same meaning in all of them. */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { type ProgressMode, progressModes } from '../../terminal/progress/progress.ts';
import { flag, list, type OptionSpec, value } from './command.ts';

/** For commands that transfer images. */
export const progressOption: OptionSpec<ProgressMode | undefined> = {
  flags: '--progress <how>',
  summary: `How progress is shown on stderr: ${progressModes.join(', ')}`,
  takes: 'word',
  choices: progressModes,
  parse(words) {
    const word = words.at(-1);
    const found = progressModes.find((mode) => mode === word);
    if (word === undefined || found) return found;
    throw new OciError('USAGE', `unknown progress ${quote(word)}`, { hint: `choose ${progressModes.join(', ')}` });
  },
};

export const jsonOption = flag('--json', 'Print the result as JSON; failures and warnings as lines of JSON on stderr');

/** Credentials for the registry that a command names, in place of stored ones. */
export const credentialOptions = {
  creds: value('--creds <user:password>', 'Credentials for this run; others on this machine can see them here'),
  username: value('-u, --username <name>', 'User name for this run, with --password-stdin'),
  passwordStdin: flag('--password-stdin', 'Read the password from standard input'),
  anonymous: flag('--anonymous', 'Do not send stored credentials'),
};

/** Of commands that copy images: what they read is judged. */
export const policyOption = value(
  '--policy <file>',
  'What images must have to be copied, in place of "trust" in config.yaml; docs/policy.md describes it',
);

/** For registries that are written to, or read without mirrors. */
export const directOptions = {
  insecureRegistries: list('--insecure-registry <host>', 'Registry or CIDR that may use plain http or any certificate'),
  certsDir: value('--certs-dir <dir>', 'Certificates of registries, in a directory for each host[:port]'),
};

/** For registries that are read. */
export const serviceOptions = {
  registryMirrors: list('--registry-mirror <url>', 'Ask this mirror of Docker Hub first; may be repeated'),
  ...directOptions,
};

/** Of commands that read from a registry, by flags that tell how and as whom. */
export const readingOptions = { ...serviceOptions, ...credentialOptions };

/** The same for a registry that is written to, or read without mirrors. */
export const registryOptions = { ...directOptions, ...credentialOptions };

/** Of commands that delete what they are given by name. */
export const deletingOptions = {
  yes: flag('-y, --yes', 'Delete without asking'),
  json: jsonOption,
  ...registryOptions,
};

/** Platforms for completion. */
export const platformWords: readonly string[] = [
  ...['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/arm/v6', 'linux/386', 'linux/ppc64le', 'linux/s390x'],
  ...['linux/riscv64', 'windows/amd64'],
];
