/** Who may sign, as options name them. */
import type { Context } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Authority } from '../../trust/verify/authority.ts';
import { flag, value, values } from '../command-line/command.ts';
import { readKeyFile } from './open-key.ts';

const [identityOption, identityExpression] = ['--certificate-identity', '--certificate-identity-regexp'];
const [issuerOption, issuerExpression] = ['--certificate-oidc-issuer', '--certificate-oidc-issuer-regexp'];

/** The options of a command that verifies. The long ones are cosign's. */
export const signerOptions = {
  key: values('--key <file>', 'A public key in PEM; may be repeated: any of them'),
  identity: value(`${identityOption} <name>`, 'The address or URI that a certificate must be for (keyless)'),
  identityRegexp: value(
    `${identityExpression} <pattern>`,
    'The same as a regular expression, which must match all of it',
  ),
  issuer: value(`${issuerOption} <url>`, 'Who must have vouched for that identity'),
  issuerRegexp: value(`${issuerExpression} <pattern>`, 'The same as a regular expression, which must match all of it'),
  trustedRoot: value('--trusted-root <file>', 'Who issues certificates, with logs and clocks: trusted_root.json'),
  trustStore: values('--trust-store <dir>', 'Certificates of who issues to those who sign (notation); may be repeated'),
  keepTrustedRoot: flag('--keep-trusted-root', 'Keep that file in the cache directory, for runs that name none'),
};

interface Named {
  readonly key: readonly string[];
  readonly identity: string | undefined;
  readonly identityRegexp: string | undefined;
  readonly issuer: string | undefined;
  readonly issuerRegexp: string | undefined;
  readonly trustedRoot: string | undefined;
  readonly keepTrustedRoot: boolean;
  readonly trustStore: readonly string[];
}

/** @throws OciError USAGE if nobody is named, or for files that are not what they should be; UNSUPPORTED for a key elsewhere */
export async function openAuthorities(named: Named, context: Context): Promise<readonly Authority[]> {
  const { key, identity, identityRegexp, issuer, issuerRegexp, trustedRoot, keepTrustedRoot, trustStore } = named;
  const hasCertificate = [identity, identityRegexp, issuer, issuerRegexp].some((option) => option !== undefined);
  if (keepTrustedRoot && trustedRoot === undefined) {
    throw new OciError('USAGE', '--keep-trusted-root needs --trusted-root', {
      hint: 'name the file that is to be kept',
    });
  }
  if (!hasCertificate && trustedRoot !== undefined) {
    throw new OciError('USAGE', `--trusted-root needs ${identityOption} and ${issuerOption}`, {
      hint: 'say whose certificates count: anybody gets one',
    });
  }
  if (key.length === 0 && trustStore.length === 0 && !hasCertificate) {
    throw new OciError('USAGE', 'the --key option is missing', {
      hint: `name the public key of whoever signs (cosign.pub), ${identityOption} with ${issuerOption}, or --trust-store; verify also takes --policy, or "trust" in config.yaml`,
    });
  }
  return [
    ...(await openKeys(key, context)),
    ...(hasCertificate ? [await openCertificates(named, context)] : []),
    ...(await openTrustStores(trustStore)),
  ];
}

async function openKeys(files: readonly string[], context: Context): Promise<readonly Authority[]> {
  if (files.length === 0) return [];
  const [{ readPublicKey }, { keyAuthority }] = await Promise.all([
    import('../../trust/keys/public-key.ts'),
    import('../../trust/verify/key-authority.ts'),
  ]);
  const authorities: Authority[] = [];
  for (const file of files) {
    authorities.push(keyAuthority(file, readPublicKey(await readKeyFile(file, context), file)));
  }
  return authorities;
}

async function openTrustStores(directories: readonly string[]): Promise<readonly Authority[]> {
  if (directories.length === 0) return [];
  const [{ readTrustStore }, { storeAuthority }] = await Promise.all([
    import('../../trust/notation/trust-store.ts'),
    import('../../trust/notation/store-authority.ts'),
  ]);
  return Promise.all(directories.map(async (directory) => storeAuthority(await readTrustStore(directory))));
}

async function openCertificates(named: Named, context: Context): Promise<Authority> {
  const { exactly, matchingWhole } = await import('../../trust/sigstore/identity.ts');
  const pattern = (text: string | undefined, expression: string | undefined, options: readonly [string, string]) => {
    const [option, regexp] = options;
    if (text !== undefined && expression !== undefined) {
      throw new OciError('USAGE', `${option} and ${regexp} exclude each other`, { hint: 'give one of them' });
    }
    if (text !== undefined) return exactly(text);
    if (expression !== undefined) return matchingWhole(expression, regexp);
    throw new OciError('USAGE', `the ${option} option is missing`, {
      hint: 'an identity counts only with who vouched for it: name both, or a pattern for each',
    });
  };
  const identity = pattern(named.identity, named.identityRegexp, [identityOption, identityExpression]);
  const issuer = pattern(named.issuer, named.issuerRegexp, [issuerOption, issuerExpression]);
  const [{ certificateAuthority }, root] = await Promise.all([
    import('../../trust/sigstore/certificate-authority.ts'),
    openTrustedRoot(named, context),
  ]);
  return certificateAuthority({ identity, issuer, root });
}

async function openTrustedRoot({ trustedRoot, keepTrustedRoot }: Named, context: Context) {
  const { maxTrustedRootBytes, readTrustedRoot } = await import('../../trust/sigstore/trusted-root.ts');
  const kept = await context.keptTrustedRoot();
  if (trustedRoot !== undefined) {
    const { readWhole } = await import('../command-line/read-whole.ts');
    const input = await context.openInput(trustedRoot);
    const bytes = await readWhole(input, {
      maxBytes: maxTrustedRootBytes,
      what: 'trusted root',
      signal: context.signal,
    });
    const root = readTrustedRoot(bytes, input.name);
    if (keepTrustedRoot) kept.keep(bytes);
    return root;
  }
  const bytes = kept.read(maxTrustedRootBytes);
  if (bytes && kept.path !== undefined) return readTrustedRoot(bytes, kept.path);
  throw new OciError('USAGE', 'no trusted root is given, and none is kept', {
    hint: 'name one with --trusted-root FILE, and add --keep-trusted-root to keep it; nothing is fetched (docs/signing.md)',
  });
}
