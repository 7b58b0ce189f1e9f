/** Opens whose signatures a policy lets count. */
import { readFile, stat } from 'node:fs/promises';
import { at, configError } from '../config/documents/config-error.ts';
import type { Requirement, SignerRule, TextRule } from '../config/trust-rules.ts';
import { isOciError } from '../model/errors.ts';
import { readPublicKey } from '../trust/keys/public-key.ts';
import type { Authority } from '../trust/verify/authority.ts';
import { keyAuthority } from '../trust/verify/key-authority.ts';

/** Whose signatures count for each requirement of a policy. */
export interface Signers {
  readonly signers: ReadonlyMap<Requirement, readonly Authority[]>;
}

const maxKeyBytes = 64 * 1024;

/** What certificates are verified by, where the policy names no file. */
export interface KeptRoot {
  readonly path: string | undefined;
  read(maxBytes: number): Uint8Array | undefined;
}

/** @throws OciError CONFIG_INVALID naming the line of the policy, for a file that is missing or not what it should be. */
export async function openSigner(rule: SignerRule, kept: () => Promise<KeptRoot | undefined>): Promise<Authority> {
  if (rule.kind === 'key') {
    const text = (await readBytes(rule.file, 'key', maxKeyBytes, rule)).toString('utf8');
    return keyAuthority(
      rule.file,
      at(rule.origin, () => readPublicKey(text, rule.file)),
    );
  }
  if (rule.kind === 'key-data') {
    const name = 'the key in the policy';
    return keyAuthority(
      name,
      at(rule.origin, () => readPublicKey(rule.pem, name)),
    );
  }
  if (rule.kind === 'identity') return await openCertificates(rule, kept);
  return await openTrustStore(rule);
}

async function openTrustStore({
  directory,
  origin,
}: SignerRule & { readonly kind: 'trust-store' }): Promise<Authority> {
  const [{ readTrustStore }, { storeAuthority }] = await Promise.all([
    import('../trust/notation/trust-store.ts'),
    import('../trust/notation/store-authority.ts'),
  ]);
  try {
    return storeAuthority(await readTrustStore(directory));
  } catch (error) {
    return at(origin, () => {
      throw error;
    });
  }
}

async function openCertificates(
  rule: SignerRule & { readonly kind: 'identity' },
  kept: () => Promise<KeptRoot | undefined>,
): Promise<Authority> {
  const [{ exactly, matchingWhole }, { certificateAuthority }, { maxTrustedRootBytes, readTrustedRoot }] =
    await Promise.all([
      import('../trust/sigstore/identity.ts'),
      import('../trust/sigstore/certificate-authority.ts'),
      import('../trust/sigstore/trusted-root.ts'),
    ]);
  const pattern = ({ text, isExpression }: TextRule, name: string) =>
    isExpression ? at(rule.origin, () => matchingWhole(text, name)) : exactly(text);
  const identity = pattern(rule.identity, 'identity-regexp');
  const issuer = pattern(rule.issuer, 'issuer-regexp');
  if (rule.root !== undefined) {
    const bytes = await readBytes(rule.root, 'trusted root', maxTrustedRootBytes, rule);
    const { root: file } = rule;
    return certificateAuthority({ identity, issuer, root: at(rule.origin, () => readTrustedRoot(bytes, file)) });
  }
  const found = await kept();
  const bytes = found?.read(maxTrustedRootBytes);
  if (!bytes) {
    throw configError(
      rule.origin,
      'certificates need a trusted root: none is named, and none is kept',
      'write "trusted-root: FILE" beside "default"; docs/signing.md says where it comes from',
    );
  }
  const path = found?.path ?? 'the trusted root';
  return certificateAuthority({ identity, issuer, root: at(rule.origin, () => readTrustedRoot(bytes, path)) });
}

async function readBytes(file: string, what: string, maxBytes: number, { origin }: SignerRule): Promise<Buffer> {
  const refuse = (reason: string): never => {
    throw configError(origin, `cannot read the ${what} ${file}: ${reason}`, 'no image is copied without it');
  };
  try {
    const found = await stat(file);
    if (!found.isFile()) return refuse('it is no file');
    if (found.size > maxBytes) return refuse(`it is too large for a ${what}`);
    return await readFile(file);
  } catch (error) {
    if (isOciError(error)) throw error;
    const { code = 'it failed' } = error as NodeJS.ErrnoException;
    return refuse(code === 'ENOENT' ? 'there is no such file' : code);
  }
}
