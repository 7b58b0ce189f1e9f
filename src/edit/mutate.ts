/** Changes of an image's config and annotations. What is not named stays as it is. */
import type { JsonText } from '../model/json-text.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { ImageDraft } from './image-draft.ts';

/** Names with their new values; null removes. */
type Changes = Readonly<Record<string, string | null>>;
/** Names that are added (true) or removed (false). */
type Switches = Readonly<Record<string, boolean>>;

/** What is changed. What is absent stays; null removes. */
export interface Mutation {
  /** The command that runs, without a shell. A new one removes the default arguments, unless `cmd` gives some. */
  readonly entrypoint?: readonly string[] | null | undefined;
  /** Arguments of the entrypoint, or the command. */
  readonly cmd?: readonly string[] | null | undefined;
  /** Variables, by name; null removes. */
  readonly env?: Readonly<Record<string, string | null>> | undefined;
  /** Who it runs as: `user`, `uid:gid`. */
  readonly user?: string | null | undefined;
  /** Where it runs. */
  readonly workdir?: string | null | undefined;
  /** What stops it: `SIGTERM`. */
  readonly stopSignal?: string | null | undefined;
  /** Labels of the config, by name; null removes. */
  readonly labels?: Readonly<Record<string, string | null>> | undefined;
  /** Annotations of the manifest, by name; null removes. Docker's format has none. */
  readonly annotations?: Readonly<Record<string, string | null>> | undefined;
  /** `80/tcp`: true adds, false removes. */
  readonly ports?: Readonly<Record<string, boolean>> | undefined;
  /** Paths: true adds, false removes. */
  readonly volumes?: Readonly<Record<string, boolean>> | undefined;
  /** When it was made, RFC 3339. */
  readonly created?: string | null | undefined;
  /** Who made it. */
  readonly author?: string | null | undefined;
  /** What it is for, in its config and in the index that it is in. */
  readonly platform?: Platform | undefined;
}

/** @throws OciError UNSUPPORTED for annotations in Docker's format. */
export function mutateDraft(draft: ImageDraft, mutation: Mutation): void {
  const { entrypoint, cmd, env, user, workdir, stopSignal, labels, annotations, ports, volumes } = mutation;
  draft.editRun((run) => {
    setField(run, 'Entrypoint', entrypoint);
    if (entrypoint != null && cmd === undefined && differs(draft.before.entrypoint, entrypoint)) run.delete('Cmd');
    setField(run, 'Cmd', cmd);
    setEnv(run, env);
    setField(run, 'User', user);
    setField(run, 'WorkingDir', workdir);
    setField(run, 'StopSignal', stopSignal);
    setNames(run, 'Labels', labels);
    setNames(run, 'ExposedPorts', switched(ports));
    setNames(run, 'Volumes', switched(volumes));
  });
  if (annotations) draft.editAnnotations((object) => setEntries(object, annotations));
  setField(draft.config, 'created', mutation.created);
  setField(draft.config, 'author', mutation.author);
  if (mutation.platform) draft.setPlatform(mutation.platform);
}

function setField(object: JsonText, name: string, value: unknown): void {
  if (value === undefined) return;
  if (value !== null) object.set(name, value);
  // A field that is null counts as absent, and stays as it is.
  else if (object.has(name)) object.delete(name);
}

function differs(before: readonly string[] | undefined, after: readonly string[]): boolean {
  return JSON.stringify(before ?? []) !== JSON.stringify(after);
}

/** Variables keep their place in the list; new ones come last. */
function setEnv(run: JsonText, changes: Changes = {}): void {
  const value = run.get('Env');
  const before = Array.isArray(value) ? value.map(String) : [];
  const left = new Map(Object.entries(changes));
  const after = before.flatMap((line) => {
    const [name = ''] = line.split('=', 1);
    if (!Object.hasOwn(changes, name)) return [line];
    const changed = left.get(name);
    left.delete(name);
    return changed == null ? [] : [`${name}=${changed}`];
  });
  for (const [name, changed] of left) if (changed !== null) after.push(`${name}=${changed}`);
  if (differs(before, after)) run.set('Env', after);
}

function switched(switches: Switches = {}): Readonly<Record<string, object | null>> {
  return Object.fromEntries(Object.entries(switches).map(([name, isOn]) => [name, isOn ? {} : null]));
}

function setNames(run: JsonText, field: string, changes: Readonly<Record<string, unknown>> = {}): void {
  if (Object.keys(changes).length === 0) return;
  const object = run.object(field);
  const before = object.text;
  setEntries(object, changes);
  if (object.text !== before) run.set(field, object);
}

function setEntries(object: JsonText, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) setField(object, name, value);
}
