import type { Check, Place } from '../../app/context.ts';
import { blobsOf } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { formatPlatform } from '../../model/platform/platform.ts';
import { readConfig } from '../../registry/config.ts';
import { endpointReport } from '../../registry/extensions.ts';
import { judgeOnly } from '../../transfer/plan/judge-only.ts';
import { resolveImage } from '../../transfer/platforms.ts';

/**
 * Reads the manifest, the config and the first byte of the largest layer: if one of them fails, so does a pull.
 *
 * @throws what the pull would fail with.
 */
export async function tryPull(place: Place, platform: Platform, signal: AbortSignal): Promise<Check> {
  const { registry, repo } = place;
  const { view } = await resolveImage(place, platform, { signal, requirePlatform: false });
  const blobs = [...blobsOf(view)].sort((a, b) => b.size - a.size);
  const config = view.kind === 'image' ? view.config : undefined;
  if (config) await readConfig(registry, repo, config, { signal });
  const [largest] = blobs;
  if (largest && largest.size > 0) {
    const content = await registry.getBlob(repo, largest, { range: { start: 0, end: 1 }, verify: false, signal });
    await content.cancel();
  }
  const servedBy = registry.extension(endpointReport)?.servedBy();
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  const from = servedBy === undefined ? '' : `, from ${servedBy}`;
  return {
    topic: 'pull',
    status: 'ok',
    text: `would work for ${formatPlatform(platform)}${from}`,
    detail: { servedBy, blobs: blobs.length, bytes },
  };
}

/** What the policy says of an image, if there is one. @throws OciError UNTRUSTED, as the pull would fail. */
export async function tryPolicy(place: Place, platform: Platform, signal: AbortSignal): Promise<readonly Check[]> {
  const by = await judgeOnly({ from: place, platforms: [platform], signal });
  return by === undefined ? [] : [{ topic: 'policy', status: 'ok', text: by }];
}
