/** `verify --policy`: whether a copy of an image would comply. */
import type { Context, ServiceFlags } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { readFrom } from '../../places/place.ts';
import { formatJson } from '../../terminal/json.ts';
import { judgeOnly } from '../../transfer/plan/judge-only.ts';
import { forEachReference, type References } from '../command-line/several.ts';

interface PolicyFlags extends ServiceFlags {
  /** Whether options say who may sign, or what. */
  readonly chosen: boolean;
  readonly json: boolean;
}

/** @throws OciError UNTRUSTED; USAGE for options that a policy has in it */
export async function verifyByPolicy(references: References, flags: PolicyFlags, context: Context): Promise<void> {
  if (flags.chosen) {
    throw new OciError('USAGE', 'conflicting options: --policy, and options that say what a signature must be', {
      hint: 'a policy says who may sign, and what: leave one of them out',
    });
  }
  const { terminal, signal } = context;
  await forEachReference(references, { terminal, what: 'verified', onlyAsks: true }, async (word) => {
    await using place = await context.openPlace(word, 'source', flags);
    const { registry, repo, fullName, repository } = place;
    const { digest, by } = await readFrom(place, async () => {
      const root = await registry.statManifest(repo, place.reference, { signal });
      return { digest: root.digest, by: await judgeOnly({ from: { ...place, root }, signal }) };
    });
    const image = `${repository}@${digest}`;
    const result = { reference: fullName, image, digest, policy: by };
    return async () => terminal.out(flags.json ? `${formatJson(result)}\n` : `${image}\n  ${by}\n`);
  });
}
