/** What pull writes to stdout: the lines of docker pull, names, or JSON. */
import { type Digest, shortDigest } from '../../model/digest.ts';
import type { NodeOutcome, TransferEvent } from '../../model/events.ts';
import { defaultTag, familiarReference, formatReference, type Reference } from '../../model/reference/reference.ts';
import { endpointReport } from '../../registry/extensions.ts';
import { formatJson } from '../../terminal/json.ts';
import type { TransferResult } from '../../transfer/transfer.ts';
import { type LayerOutcome, layerOutcomes } from '../moving/layer-outcomes.ts';
import type { PlannedPull } from './puller.ts';

export interface PullFlags {
  readonly quiet: boolean;
  readonly json: boolean;
}

/** The `--json` output for one image. */
interface PullOutcome {
  readonly reference: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly status: 'downloaded' | 'up-to-date';
  readonly transferredBytes: number;
  readonly endpoint: string | undefined;
  readonly layers: readonly LayerOutcome[];
}

interface TextOptions extends PullFlags {
  /** Whether its layers were told as they arrived. */
  readonly live: boolean;
  /** Whether it is one of a repository, whose name comes at the end. */
  readonly nameless?: boolean;
}

/** Said first where no tag is named. */
export const defaultTagLine = `Using default tag: ${defaultTag}`;

/** What is written for an image that was pulled, whole lines. */
export function pulledText(
  { reference, isDefault, root }: PlannedPull,
  result: TransferResult,
  { quiet, json, live, nameless = false }: TextOptions,
): string {
  if (json) return `${formatJson(outcomeOf(reference, root, result))}\n`;
  const name = formatReference(reference);
  if (quiet) return `${name}\n`;
  const { digest } = result.root;
  const lines: string[] = [];
  if (!live) {
    if (isDefault) lines.push(defaultTagLine);
    const layers = result.blobs.filter(({ kind }) => kind === 'layer');
    lines.push(pullingLine(reference, root.from.reference));
    lines.push(...layers.map(({ descriptor, outcome }) => layerLine(descriptor.digest, outcome)));
  }
  const status = result.changed ? 'Downloaded newer image for' : 'Image is up to date for';
  lines.push(`Digest: ${digest}`, `Status: ${status} ${familiarReference(reference)}`);
  if (!nameless) lines.push(name);
  return `${lines.join('\n')}\n`;
}

/** The line about an event while an image is pulled, if there is one. */
export function eventLine(event: TransferEvent, reference: Reference): string | undefined {
  if (event.type === 'resolved') return pullingLine(reference, event.reference);
  if (event.type !== 'done' || event.kind !== 'layer') return undefined;
  return layerLine(event.node.digest, event.outcome);
}

function pullingLine(reference: Reference, resolved: string): string {
  return `${reference.digest === undefined ? resolved : formatReference(reference)}: Pulling from ${reference.path}`;
}

function layerLine(digest: Digest, outcome: NodeOutcome): string {
  return `${shortDigest(digest)}: ${outcome === 'transferred' ? 'Pull complete' : 'Already exists'}`;
}

function outcomeOf(reference: Reference, root: PlannedPull['root'], result: TransferResult): PullOutcome {
  return {
    reference: formatReference(reference),
    digest: result.root.digest,
    mediaType: result.root.mediaType,
    status: result.changed ? 'downloaded' : 'up-to-date',
    transferredBytes: result.transferredBytes,
    endpoint: root.from.registry.extension(endpointReport)?.origin(),
    layers: layerOutcomes(result),
  };
}
