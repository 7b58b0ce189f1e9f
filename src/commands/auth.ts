import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { parseReference } from '../model/reference/reference.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, type OptionSpec } from './command-line/command.ts';
import { jsonOption, registryOptions } from './command-line/options.ts';

const scopes: OptionSpec<readonly string[]> = {
  flags: '--scope <scope>',
  summary: 'What the token allows: pull (the default), push, delete, TYPE:NAME:ACTIONS; may be repeated',
  takes: 'words',
  parse: (words) => words,
};

export const auth = defineCommand({
  name: 'auth',
  summary: 'Print a token of a registry, for scripts',
  description:
    "`ocictl auth token REF` gets a token for the repository from the registry's token server, with the credentials that a\n" +
    'pull would use, and prints it, for curl and other programs that send their own requests to the registry. The token is\n' +
    'valid for minutes.',
  arguments: [
    { label: 'ACTION', summary: 'token', arity: 'one', choices: ['token'] },
    { label: 'REF', summary: 'The repository', arity: 'one', completes: 'image' },
  ],
  options: {
    scope: scopes,
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'To read one repository', command: 'auth token alpine' },
    {
      text: 'To push, and to mount from another',
      command: 'auth token --scope pull,push --scope repository:base:pull ghcr.io/team/app',
    },
    { text: 'The list of repositories', command: "auth token --scope 'registry:catalog:*' registry.example.com/any" },
  ],
  async run({ words: [action, word = ''], options }, { terminal, signal, service }) {
    if (action !== 'token') {
      throw new OciError('USAGE', `unknown action ${quote(action ?? '')}`, { hint: 'usage: ocictl auth token REF' });
    }
    const { domain, path } = parseReference(word);
    const wanted = (options.scope.length > 0 ? options.scope : ['pull']).map((scope) => fullScope(scope, path));
    const { token, scopes: granted } = await (await service(options)).token({ domain, path }, wanted, { signal });
    await terminal.out(`${options.json ? formatJson({ token, scopes: granted }) : token}\n`);
  },
});

/** `pull,push` is a scope of the repository itself. @throws OciError USAGE */
function fullScope(scope: string, path: string): string {
  if (/^(?:pull|push|delete|\*)(?:,(?:pull|push|delete|\*))*$/.test(scope)) return `repository:${path}:${scope}`;
  if (/^[a-z0-9]+(?:\([a-z0-9]+\))?:[^\s:][^\s]*:[a-z*]+(?:,[a-z*]+)*$/.test(scope)) return scope;
  throw new OciError('USAGE', `invalid scope ${quote(scope)}`, {
    hint: 'a scope is pull, push, delete, or as in repository:team/app:pull,push',
  });
}
