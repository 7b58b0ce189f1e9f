/** Puts an image on another base, as if it had been built on that. */
import { layerForm, layerTypeIn } from '../../convert/layer-types.ts';
import { parseJson } from '../../model/json.ts';
import { JsonText } from '../../model/json-text.ts';
import { parseDescriptor } from '../../model/manifest/descriptor.ts';
import type { Platform } from '../../model/platform/platform.ts';
import type { DraftLayer, ImageDraft } from '../image-draft.ts';
import { type BaseImage, requireBase } from './base-image.ts';

/**
 * Takes the layers, the history, the platform and the inherited settings of the new base in place of those of the old one. What the image
 * itself set, added or removed stays.
 *
 * @throws OciError USAGE if the image is not based on the old base; UNSUPPORTED for layers that its format does not have.
 */
export function rebaseDraft(draft: ImageDraft, old: BaseImage, next: BaseImage, platform: Platform): void {
  requireBase(draft.before.diffIds, old, platform);
  const own = draft.layers.slice(old.config.diffIds.length);
  draft.setLayers([...layersOf(next, draft), ...own], historyOf(draft, old, next));
  draft.editRun((run) => mergeRun(run, old.text.object('config'), next.text.object('config')));
  for (const name of ['os', 'architecture', 'variant', 'os.version', 'os.features']) {
    const value = next.text.get(name);
    if (value === undefined) draft.config.delete(name);
    else draft.config.set(name, value);
  }
}

/** The base's layers, by types of the image's format. */
function layersOf({ manifest, view, config }: BaseImage, draft: ImageDraft): readonly DraftLayer[] {
  const texts = JsonText.parse(manifest.bytes).list('layers');
  return view.layers.map((layer, i) => {
    const form = layerForm(layer.mediaType);
    const entry = JsonText.parse(Buffer.from(texts[i] ?? '{}'));
    if (form && form.format !== draft.format && !form.foreign) {
      entry.set('mediaType', layerTypeIn(draft.format, form.compression));
      if (draft.format === 'docker') entry.delete('annotations');
    }
    const { text } = entry;
    return { text, descriptor: parseDescriptor(parseJson(text), 'layers'), diffId: config.diffIds[i] ?? '' };
  });
}

/** Lines of the new base, then those of the image: only if all three have one for each layer. */
function historyOf(draft: ImageDraft, old: BaseImage, next: BaseImage): readonly string[] | undefined {
  const { history } = draft.before;
  const isWhole = (lines: readonly { readonly empty: boolean }[], layers: number): boolean =>
    lines.filter(({ empty }) => !empty).length === layers;
  const all =
    isWhole(history, draft.layers.length) &&
    isWhole(old.config.history, old.view.layers.length) &&
    isWhole(next.config.history, next.view.layers.length);
  if (!all) return undefined;
  return [...next.text.list('history'), ...draft.history.slice(ownLinesAt(draft, old))];
}

/** Where the lines of the image itself begin: after those of the base, also the last ones without a layer. */
function ownLinesAt({ before }: ImageDraft, old: BaseImage): number {
  const lines = old.config.history;
  const same = lines.every(({ createdBy, empty }, i) => {
    const line = before.history[i];
    return line?.createdBy === createdBy && line.empty === empty;
  });
  if (same) return lines.length;
  let left = old.view.layers.length;
  for (const [i, { empty }] of before.history.entries()) {
    if (left === 0) return i;
    if (!empty) left -= 1;
  }
  return before.history.length;
}

const maps = new Set(['Labels', 'ExposedPorts', 'Volumes']);

/** What was inherited from the old base is now inherited from the new one; what the image changed stays. */
function mergeRun(run: JsonText, old: JsonText, next: JsonText): void {
  for (const name of new Set([...old.names(), ...next.names()])) {
    if (name === 'Env') mergeEnv(run, old, next);
    else if (maps.has(name)) mergeMap(run, name, old, next);
    else if (textOf(run, name) === textOf(old, name)) take(run, name, next.get(name));
  }
}

function textOf(object: JsonText, name: string): string | undefined {
  return JSON.stringify(object.get(name));
}

function take(object: JsonText, name: string, value: unknown): void {
  if (value !== undefined) object.set(name, value);
  else if (object.has(name)) object.delete(name);
}

function mergeMap(run: JsonText, name: string, old: JsonText, next: JsonText): void {
  const [own, before, after] = [run.object(name), old.object(name), next.object(name)];
  const text = own.text;
  for (const key of new Set([...before.names(), ...after.names()])) {
    if (textOf(own, key) === textOf(before, key)) take(own, key, after.get(key));
  }
  if (own.text !== text) run.set(name, own);
}

/** The variables of the new base come first, as in a build. */
function mergeEnv(run: JsonText, old: JsonText, next: JsonText): void {
  const [own, before, after] = [variables(run), variables(old), variables(next)];
  const merged = new Map<string, string>();
  for (const [name, line] of after) {
    if (own.get(name) === before.get(name)) merged.set(name, line);
    else {
      const kept = own.get(name);
      if (kept !== undefined) merged.set(name, kept);
    }
  }
  for (const [name, line] of own) if (line !== before.get(name)) merged.set(name, line);
  const lines = [...merged.values()];
  if (JSON.stringify(lines) !== JSON.stringify([...own.values()])) run.set('Env', lines);
}

function variables(run: JsonText): Map<string, string> {
  const lines = run.get('Env');
  const texts = Array.isArray(lines) ? lines.map(String) : [];
  return new Map(texts.map((line) => [line.split('=', 1)[0] ?? '', line]));
}
