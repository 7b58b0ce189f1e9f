/** The keys of an S3 root. Part of the composition root, loaded only for such a root. */
import { type AwsKeys, awsPackage, identityKeys, keysFromEnvironment } from '../../aws/keys.ts';
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import { hasOptionalPackage, loadOptionalPackage } from '../../packaging/package-parts.ts';
import type { S3Keys } from '../../storage/drivers/s3/settings.ts';

/** Keys that end within this time are renewed. */
const leastValidMs = 5 * 60_000;

/** A source whose keys end sooner than a URL needs has no others yet, and is not asked again for each URL. */
const askAgainMs = 60_000;

/** Where packages are found. */
interface Packages {
  readonly has: (name: string) => boolean;
  readonly load: (name: string) => unknown;
}

const installed: Packages = { has: hasOptionalPackage, load: loadOptionalPackage };

/** The keys of `AWS_*`; otherwise those of this machine's identity, renewed before they end. */
export function s3Keys(env: NodeJS.ProcessEnv, packages = installed): S3Keys {
  const given = keysFromEnvironment(env);
  if (given) return async () => given;
  if (!packages.has(awsPackage)) {
    return async () => {
      throw new OciError('CONFIG_INVALID', 'there are no keys for S3: $AWS_ACCESS_KEY_ID is not set', {
        hint: `set it and $AWS_SECRET_ACCESS_KEY; for shared files, roles and metadata services, npm install ${awsPackage} beside ocictl`,
      });
    };
  }
  return renewed(identityKeys(packages.load));
}

function renewed(find: (options: { readonly fresh: boolean }) => Promise<AwsKeys>): S3Keys {
  let known: AwsKeys | undefined;
  let finding: Promise<AwsKeys> | undefined;
  let askAgainAt = 0;
  const leftOf = (keys: AwsKeys | undefined): number =>
    (keys?.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now();
  return async ({ refused, leastMs = leastValidMs } = {}) => {
    // Of several requests that were refused, the first to say so has them renewed.
    const fresh = refused !== undefined && (known === undefined || refused === known);
    const leftMs = leftOf(known);
    const wantedMs = Date.now() < askAgainAt ? leastValidMs : Math.max(leastMs, leastValidMs);
    if (known && !fresh && leftMs > wantedMs) return known;
    finding ??= find({ fresh: known !== undefined }).finally(() => {
      finding = undefined;
    });
    try {
      known = await finding;
      if (leftOf(known) < leastMs) askAgainAt = Date.now() + askAgainMs;
      return known;
    } catch (cause) {
      // What could not be renewed may still be valid for a while.
      if (known && !fresh && leftMs > 0) return known;
      const [line = ''] = String(cause instanceof Error ? cause.message : cause).split('\n', 1);
      throw new OciError('CONFIG_INVALID', `there are no keys for S3: ${visible(line.slice(0, 200))}`, {
        cause,
        hint: 'set $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY, or give this machine an identity of AWS',
      });
    }
  };
}
