import { type ArtifactFiles, openArtifactFiles, type PulledFile } from '../artifacts/pull/artifact-files.ts';
import { checkArgument, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import type { ProgressEvent, Waiting } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { hostPlatform, parsePlatform } from '../model/platform/platform.ts';
import { readFrom } from '../places/place.ts';
import { judgeNow } from '../transfer/plan/judge-now.ts';
import { resolveArtifact } from '../transfer/platforms.ts';
import { transfer } from '../transfer/transfer.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';
import { openSource, type PolicyOption } from './source.ts';

/** What is pulled of an artifact, and how. */
export interface PullArtifactOptions extends CallOptions, PolicyOption {
  /** Of an index, the artifact for this platform: `linux/arm64`. Default: the only one, or that for this machine. */
  readonly platform?: string | undefined;
  /** Whether a file that exists is an error, REFUSED. Default: it is replaced. */
  readonly keepOld?: boolean | undefined;
  /** Told how far the pull is, while it runs. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** An artifact whose files were pulled. */
export interface PulledArtifact {
  /** The digest of its manifest. */
  readonly digest: Digest;
  /** The media type of its manifest. */
  readonly mediaType: string;
  /** The type of the artifact: that of its config where the manifest states none. */
  readonly artifactType: string | undefined;
  /** In the order of the manifest. */
  readonly files: readonly PulledFile[];
  /** Layers without a title, which became no files. */
  readonly untitled: readonly Descriptor[];
}

const pullShape: Shape<PullArtifactOptions> = {
  ...callShape,
  platform: 'string',
  keepOld: 'boolean',
  policy: 'string',
  onProgress: 'function',
};

/**
 * Pulls the files of an artifact, as oras and regctl push them: each layer with a title becomes a file, and a directory that was
 * pushed is unpacked. Files appear when all have come and were verified; after a failure there are none.
 *
 * @param source `registry.example.com/team/files:1`, `oci:DIR:TAG` or `store:NAME`.
 * @param directory Where the files go; it is made.
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; MANIFEST_INVALID for titles that lead out of the
 *   directory or contradict each other; ARCHIVE_INVALID, TOO_LARGE for a directory that cannot be unpacked; REFUSED for what is
 *   in the way; UNSUPPORTED for what has no files; UNTRUSTED, CONFIG_INVALID by the policy; STORAGE_*; what registries throw, see {@link Registry}.
 */
export async function pullArtifact(
  source: string,
  directory: string,
  options: PullArtifactOptions = {},
): Promise<PulledArtifact> {
  checkArgument('pullArtifact', 'the source', source, 'string');
  checkArgument('pullArtifact', 'the directory', directory, 'string');
  checkCallOptions('pullArtifact', options, pullShape);
  const { signal = new AbortController().signal, onProgress, keepOld } = options;
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const onWait = onProgress && ((wait: Waiting) => onProgress({ type: 'waiting', ...wait }));
  await using session = await openSession(options, { onWait });
  await using opened = await openSource(source, session.service, signal, options);
  const platforms = platform && [platform];
  const from = await readFrom(opened, () => judgeNow(opened, { platforms, signal }));
  const choice = { platform, ownPlatform: hostPlatform() };
  const manifest = await readFrom(from, () => resolveArtifact(from, choice, { signal }));
  await using files: ArtifactFiles = await openArtifactFiles(manifest, { name: from.name, directory, keepOld });
  const { descriptor, view } = manifest;
  const { registry, repo, sparse } = from;
  await transfer({
    from: { registry, repo, sparse, reference: descriptor.digest, root: descriptor, manifests: [manifest] },
    to: { registry: files.registry, repo, tags: [] },
    onProgress,
    signal,
  }).result;
  const pulled = await files.finish({ signal });
  const { digest, mediaType } = descriptor;
  const artifactType = view.artifactType ?? (view.kind === 'image' ? view.config.mediaType : undefined);
  return { digest, mediaType, artifactType, files: pulled, untitled: files.untitled };
}
