/** What push writes to stdout: the lines of docker push, names, or JSON. */
import { type Digest, shortDigest } from '../../model/digest.ts';
import type { TransferEvent } from '../../model/events.ts';
import { defaultTag, formatReference, type Reference } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { formatJson } from '../../terminal/json.ts';
import { layersOf } from '../../transfer/choose/pushed.ts';
import type { TransferResult, TransferredBlob } from '../../transfer/transfer.ts';
import { type LayerOutcome, layerOutcomes } from '../moving/layer-outcomes.ts';
import type { PlannedPush } from './pusher.ts';

export interface PushFlags {
  readonly quiet: boolean;
  readonly json: boolean;
}

/** The `--json` output for one image. */
interface PushOutcome {
  readonly reference: string;
  readonly digest: string;
  readonly size: number;
  readonly changed: boolean;
  readonly transferredBytes: number;
  readonly layers: readonly LayerOutcome[];
}

interface TextOptions extends PushFlags, SignalOption {
  /** Whether the lines at the beginning, and those of layers that were looked up, were written as they came. */
  readonly live: boolean;
  /** Whether it is one of a repository, which was named at the beginning. */
  readonly nameless?: boolean;
}

/** What is written for an image that was pushed, whole lines. */
export async function pushedText(
  { reference, isDefault, root }: PlannedPush,
  result: TransferResult,
  { quiet, json, live, nameless = false, signal }: TextOptions,
): Promise<string> {
  const { digest, size } = result.root;
  const name = formatReference(reference);
  if (quiet && !json) return nameless ? '' : `${name}\n`;
  // The transfer does not look at layers of an image that was there already, but Docker lists them.
  const found: LayerOutcome[] = [];
  const told = new Set(result.blobs.map(({ descriptor }) => descriptor.digest));
  for await (const layer of layersOf(root.from, { signal })) {
    if (!told.has(layer.digest)) found.push({ digest: layer.digest, size: layer.size, outcome: 'exists' });
  }
  if (json) {
    const { changed, transferredBytes } = result;
    const layers = [...layerOutcomes(result), ...found];
    const outcome: PushOutcome = { reference: name, digest, size, changed, transferredBytes, layers };
    return `${formatJson(outcome)}\n`;
  }
  const lines = live || nameless ? [] : beginning(reference, isDefault);
  if (!live) {
    const layers = result.blobs.filter(({ kind }) => kind === 'layer');
    lines.push(...layers.map((layer) => layerLine(layer.descriptor.digest, layer)));
  }
  lines.push(...found.map((layer) => layerLine(layer.digest, layer)));
  lines.push(`${reference.tag}: digest: ${digest} size: ${size}`);
  return `${lines.join('\n')}\n`;
}

/** The lines that come first. @param isDefault Whether no tag was named, but the default tag is pushed. */
export function beginning({ tag: _, ...repository }: Reference, isDefault: boolean): string[] {
  const line = `The push refers to repository [${formatReference(repository)}]`;
  return isDefault ? [`Using default tag: ${defaultTag}`, line] : [line];
}

/** The line about an event while an image is pushed, if there is one. */
export function eventLine(event: TransferEvent): string | undefined {
  return event.type === 'done' && event.kind === 'layer' ? layerLine(event.node.digest, event) : undefined;
}

function layerLine(digest: Digest, { outcome, mountedFrom }: Pick<TransferredBlob, 'outcome' | 'mountedFrom'>): string {
  const id = shortDigest(digest);
  if (outcome === 'exists') return `${id}: Layer already exists`;
  if (outcome === 'mounted') return `${id}: Mounted from ${mountedFrom}`;
  return outcome === 'foreign' ? `${id}: Skipped foreign layer` : `${id}: Pushed`;
}
