/** Where completion of a shell looks for tags: in the repository at its registry too, or in the local store alone. */
export type CompletionSource = 'registry' | 'local';

export const completionSources: readonly CompletionSource[] = ['registry', 'local'];
