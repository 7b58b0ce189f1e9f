/** Reads a policy with all that it names, so that nothing of it can fail when an image has already come. */
import { readFile, stat } from 'node:fs/promises';
import { isPolicyJson, parsePolicyJson } from '../config/containers/policy-json.ts';
import { at as sayWhere } from '../config/documents/config-error.ts';
import { pathsIn } from '../config/documents/resolve-path.ts';
import { parseYamlDocument } from '../config/documents/yaml-document.ts';
import { parseTrustPolicy } from '../config/ocictl/trust-policy.ts';
import type { Requirement, SignerRule, TrustRules } from '../config/trust-rules.ts';
import { OciError } from '../model/errors.ts';
import { parsePredicateType } from '../trust/formats/predicate-types.ts';
import type { Authority } from '../trust/verify/authority.ts';
import { Judge } from './judge.ts';
import { type KeptRoot, openSigner, type Signers } from './signers.ts';

const maxPolicyBytes = 4 * 1024 * 1024;

export interface Policy extends Signers {
  readonly rules: TrustRules;
  /** One for all places, so that what was found is remembered. */
  readonly judge: Judge;
}

interface ReadOptions {
  /** The file is ocictl's config.yaml, with the policy under this key. */
  readonly at?: 'trust' | undefined;
  /** Replaces `~` in `~/`. */
  readonly homedir?: string | undefined;
  /** The trusted root that certificates are verified by, where the policy names none. */
  readonly kept?: (() => Promise<KeptRoot | undefined>) | undefined;
}

/**
 * Reads a file: ocictl's own format, or a policy.json of the containers tools. Paths in it are relative to it.
 *
 * @throws OciError CONFIG_INVALID naming file, line and column; also for a key that is missing.
 */
export async function readPolicy(
  file: string,
  { at, homedir, kept = async () => undefined }: ReadOptions = {},
): Promise<Policy> {
  const document = parseYamlDocument(await readText(file), file);
  const source = { document, file, resolve: pathsIn(file, homedir) };
  const isOwn = at !== undefined || !isPolicyJson(document);
  const rules = isOwn ? parseTrustPolicy({ ...source, ...(at && { at }) }) : parsePolicyJson(source);
  const signers = await openSigners(rules, kept);
  return { rules, signers, judge: new Judge(rules, signers) };
}

async function openSigners(rules: TrustRules, kept: NonNullable<ReadOptions['kept']>): Promise<Policy['signers']> {
  const opened = new Map<string, Promise<Authority>>();
  const open = (rule: SignerRule): Promise<Authority> => {
    const { origin: _, ...named } = rule;
    const key = JSON.stringify(named);
    const signer = opened.get(key) ?? openSigner(rule, kept);
    opened.set(key, signer);
    return signer;
  };
  const signers = new Map<Requirement, readonly Authority[]>();
  for (const { says } of rules.rules) {
    for (const requirement of typeof says === 'string' ? [] : says) {
      for (const { type, origin } of requirement.attested) sayWhere(origin, () => parsePredicateType(type));
      const authorities: Authority[] = [];
      for (const rule of requirement.signedBy) authorities.push(await open(rule));
      signers.set(requirement, authorities);
    }
  }
  return signers;
}

async function readText(file: string): Promise<string> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new OciError('CONFIG_INVALID', `cannot read the policy ${file}: ${reason}`, {
      hint: 'nothing was copied; docs/policy.md shows one',
      cause,
    });
  };
  const found = await stat(file).catch((error: NodeJS.ErrnoException) =>
    refuse(error.code === 'ENOENT' ? 'there is no such file' : String(error.code), error),
  );
  // A pipe may be given, as by <(…) of a shell.
  if (!found.isFile() && !found.isFIFO()) return refuse('it is no file');
  if (found.size > maxPolicyBytes) return refuse('it is too large');
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => refuse(String(error.code), error));
}
