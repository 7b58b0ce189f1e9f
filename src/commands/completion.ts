import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { defineCommand } from './command-line/command.ts';
import type { Completable } from './completion/completable.ts';

const shells: Readonly<Record<string, () => Promise<(completable: Completable) => string>>> = {
  bash: async () => (await import('./completion/bash.ts')).bashCompletion,
  zsh: async () => (await import('./completion/zsh.ts')).zshCompletion,
  fish: async () => (await import('./completion/fish.ts')).fishCompletion,
};

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print the completion script of a shell',
  description:
    'The script completes commands, options, their values, the names of images in the local store, and after HOST/NAME: the\n' +
    'tags of that repository, which it asks its registry for. That takes less than a second, or gives nothing; the answer is\n' +
    'kept for a minute. No credential helper is asked. OCICTL_COMPLETION=local, or completion: local in config.yaml, asks no\n' +
    'registry. If no package has installed the script, let the shell load it at its start, as the examples show.',
  arguments: [{ label: 'SHELL', summary: 'bash, zsh or fish', arity: 'one', choices: Object.keys(shells) }],
  options: {},
  examples: [
    {
      text: 'bash, for yourself; the directory has to exist (mkdir -p)',
      command: 'completion bash > ~/.local/share/bash-completion/completions/ocictl',
    },
    { text: 'zsh, with ~/.zfunc in $fpath', command: 'completion zsh > ~/.zfunc/_ocictl' },
    { text: 'fish', command: 'completion fish > ~/.config/fish/completions/ocictl.fish' },
  ],
  async run({ words: [shell = ''], commands }, { terminal }) {
    const script = Object.hasOwn(shells, shell) ? await shells[shell]?.() : undefined;
    if (!script) {
      throw new OciError('USAGE', `no completion for the shell ${quote(shell)}`, {
        hint: `there is one for ${Object.keys(shells).join(', ')}`,
      });
    }
    const { completableOf } = await import('./completion/completable.ts');
    await terminal.out(script(completableOf(await commands())));
  },
});
