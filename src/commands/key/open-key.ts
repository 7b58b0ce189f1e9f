/** Opens the keys that `--key` names. */
import type { Context } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { Signer } from '../../trust/signer.ts';
import { readWhole } from '../command-line/read-whole.ts';
import { keyPassword } from './password.ts';

const maxKeyBytes = 64 * 1024;

/**
 * @param key A file with a private key. Without a terminal, its password has to be given in another way.
 * @throws OciError USAGE for what is no such key; UNAUTHORIZED for a wrong password; UNSUPPORTED for a key elsewhere
 */
export async function openSigner(
  { key, passwordFile }: { readonly key: string | undefined; readonly passwordFile: string | undefined },
  context: Context,
): Promise<Signer> {
  if (key === undefined) {
    throw new OciError('USAGE', 'the --key option is missing', {
      hint: 'ocictl key generate makes a key; signatures without one (keyless) are not made here',
    });
  }
  const text = await readKeyFile(key, context);
  const [{ readPrivateKey }, { keySigner }] = await Promise.all([
    import('../../trust/keys/private-key.ts'),
    import('../../trust/signer.ts'),
  ]);
  return keySigner(await readPrivateKey(text, key, keyPassword(passwordFile, context)));
}

/** @throws OciError UNSUPPORTED for a key that is no file */
export async function readKeyFile(word: string, context: Context): Promise<string> {
  // Of a service, a cluster, a token or a variable, as cosign writes them.
  const elsewhere = /^(?:[a-z0-9]+:\/\/|pkcs11:)/.exec(word);
  if (elsewhere) {
    throw new OciError('UNSUPPORTED', `keys of the kind ${quote(elsewhere[0])} are not supported`, {
      hint: 'name a file with --key',
    });
  }
  const bytes = await readWhole(await context.openInput(word), {
    maxBytes: maxKeyBytes,
    what: 'key',
    signal: context.signal,
  });
  return Buffer.from(bytes).toString('utf8');
}
