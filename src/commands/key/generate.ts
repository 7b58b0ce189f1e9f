import { formatJson } from '../../terminal/json.ts';
import { defineCommand, flag, value } from '../command-line/command.ts';
import { jsonOption } from '../command-line/options.ts';
import { newKeyPassword, passwordOption } from './password.ts';

export const keyGenerate = defineCommand({
  name: 'key generate',
  summary: 'Make a pair of keys to sign and verify images',
  description:
    'Writes PREFIX.key, the private key (ECDSA on P-256), encrypted with a password, which its owner alone may read, and\n' +
    'PREFIX.pub, the public key. They are the files of cosign, which can use them too.\n\n' +
    'The password is read from --password-file, or from the variable COSIGN_PASSWORD, which may be empty, or you are asked\n' +
    'for it twice. Files that exist are not replaced without --force.',
  arguments: [],
  options: {
    outputPrefix: value('--output-prefix <prefix>', 'Beginning of the names of both files (default: cosign)'),
    passwordFile: passwordOption,
    force: flag('-f, --force', 'Replace files that exist: what only the old key could sign can be signed no more'),
    json: jsonOption,
  },
  examples: [
    { text: 'Writes cosign.key and cosign.pub; asks for the password', command: 'key generate' },
    { text: 'In a script', command: 'key generate --output-prefix team --password-file password.txt' },
  ],
  async run({ options }, context) {
    const { keyFiles, makeKeyPair, refuseExisting } = await import('../../trust/keys/key-pair.ts');
    const files = keyFiles(options.outputPrefix ?? 'cosign');
    // Before anybody types a password.
    if (!options.force) await refuseExisting(files);
    const password = await newKeyPassword(options.passwordFile, context);
    const hint = await makeKeyPair(files, { password, replace: options.force });
    const { terminal } = context;
    if (password === '')
      terminal.warn(`${files.privateKey} is encrypted with an empty password: whoever reads it can sign`);
    const lines = `Private key: ${files.privateKey}\nPublic key: ${files.publicKey}\n`;
    await terminal.out(options.json ? `${formatJson({ ...files, hint })}\n` : lines);
  },
});
