import type { Context, ServiceFlags } from '../../app/context.ts';
import { formatReference, type Reference } from '../../model/reference/reference.ts';
import type { Registry } from '../../registry/registry.ts';

/** The registries of a run, opened once for each repository, so that its images share what was learned of it. */
export class OpenedRegistries {
  readonly #opened = new Map<string, Promise<Registry>>();
  readonly #open: (reference: Reference) => Promise<Registry>;

  constructor(context: Context, flags: ServiceFlags, intent: 'pull' | 'push') {
    const role = intent === 'pull' ? 'repository' : 'destination';
    this.#open = async ({ domain, path }) =>
      (await context.openPlace(formatReference({ domain, path }), role, flags)).registry;
  }

  open(reference: Reference): Promise<Registry> {
    const key = `${reference.domain}/${reference.path}`;
    const registry = this.#opened.get(key) ?? this.#open(reference);
    this.#opened.set(key, registry);
    return registry;
  }
}
