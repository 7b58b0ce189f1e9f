/** What works on the whole store of a registry. Part of the composition root, loaded only by the commands that need it. */
import { type OpenOrigin, repairOf } from '../../local-store/content/repair.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { parseReference, type RepositoryName } from '../../model/reference/reference.ts';
import { blobChecker } from '../../registry/extensions.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { openStore } from '../../storage/open-store.ts';
import { createStorage } from '../../storage/storage.ts';
import { checkStore } from '../../storage/whole/check-store.ts';
import { copyStore } from '../../storage/whole/copy-store.ts';
import type { CopyOptions, CopyTotals } from '../../storage/whole/copy-totals.ts';
import type { CheckOptions, StoreCheck } from '../../storage/whole/faults.ts';
import { type StoreStats, storeStats } from '../../storage/whole/stats.ts';
import { openRoot } from './open-root.ts';
import type { RootOptions, RootParts } from './store-root.ts';

/** Adds up what a store holds. */
export async function registryStats(
  root: string,
  parts: RootParts,
  opts: SignalOption & { readonly limit: number },
): Promise<StoreStats> {
  return storeStats(await openWhole(root, parts, { existing: true, readOnly: true }), opts);
}

/** Copies a store. The destination may be empty, or not be there yet. */
export async function copyRegistry(from: string, to: string, parts: RootParts, opts: CopyOptions): Promise<CopyTotals> {
  const source = await openWhole(from, parts, { existing: true, readOnly: true });
  return copyStore(source, await openWhole(to, parts, { readOnly: opts.dryRun, mayBeMissing: opts.dryRun }), opts);
}

/**
 * Checks a store, and repairs it.
 *
 * @param opts.from `HOST` or `HOST/PREFIX` of a registry that has the same repositories, to fetch what is missing.
 * @throws OciError USAGE for a name that is no registry's
 */
export async function checkRegistry(
  root: string,
  parts: RootParts,
  { from, open, ...opts }: CheckOptions & { readonly from?: string | undefined; readonly open: OpenOrigin },
): Promise<StoreCheck> {
  const { driver, name } = await openRoot(root, parts, { existing: true, readOnly: opts.repair !== true });
  const store = openStore({ driver, name });
  const registry = createStorage({ driver, name, sparse: true });
  const checker = registry.extension(blobChecker);
  const fetcher = from && checker && repairOf(registry, checker, { origin: originAt(from, open), signal: opts.signal });
  return checkStore(store, { ...opts, ...(fetcher && { fetcher }) });
}

function originAt(from: string, open: OpenOrigin) {
  const [host = ''] = from.split('/', 1);
  const at = (repo: RepositoryName) => parseReference(`${from.replace(/\/+$/, '')}/${repo}`);
  if (at('a' as RepositoryName).domain !== host.toLowerCase()) {
    throw new OciError('USAGE', `${quote(from)} names no registry`, {
      hint: 'write --from HOST or HOST/PREFIX, as in --from registry.example.com or localhost:5000/mirror',
    });
  }
  return async (repo: RepositoryName) => {
    const { domain, path } = at(repo);
    return { registry: await open({ domain, path }), path };
  };
}

async function openWhole(root: string, parts: RootParts, options: RootOptions) {
  const { driver, name } = await openRoot(root, parts, options);
  return openStore({ driver, name });
}
