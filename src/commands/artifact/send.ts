import type { Context, Place } from '../../app/context.ts';
import { destinationOf, type MadeArtifact } from '../../artifacts/push/artifact.ts';
import type { Tag } from '../../model/reference/reference.ts';
import type { ProgressMode } from '../../terminal/progress/progress.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import { runBatch, withProgress } from '../moving/run-batch.ts';

interface SendOptions {
  readonly tags: readonly Tag[];
  readonly progress: ProgressMode | undefined;
  readonly quiet: boolean;
}

/** Sends an artifact, and shows how far it is. */
export async function sendArtifact(
  made: MadeArtifact,
  place: Place,
  { tags, progress: mode, quiet }: SendOptions,
  context: Context,
): Promise<TransferResult> {
  const route = (): string => `to ${place.name}`;
  return await withProgress(context, { mode, quiet, action: 'push', name: place.name, route }, async (progress) => {
    const parallelBlobs = await context.parallelUploads();
    return await runBatch(context, { progress, parallelBlobs }, (batch) =>
      batch.transfer({
        from: made.from,
        to: destinationOf({ ...place, host: place.hosted?.domain }, tags),
      }),
    );
  });
}

/** What `--json` prints, and the reference that is printed otherwise. */
export function sentRecord({ manifest }: MadeArtifact, place: Place) {
  const { mediaType, digest, size } = manifest.descriptor;
  const { annotations, artifactType, subject } = manifest.view;
  return {
    reference: `${place.repository}@${digest}`,
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    annotations,
    ...(subject && { subject }),
  };
}
