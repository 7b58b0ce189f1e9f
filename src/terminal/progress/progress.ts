/** What shows a transfer to people or programs, and what it is told. */
import type { Digest } from '../../model/digest.ts';
import type { TransferEvent } from '../../model/events.ts';

/** How progress is shown. `auto` chooses `bars` or `plain`. */
export const progressModes = ['auto', 'bars', 'plain', 'json', 'none'] as const;
export type ProgressMode = (typeof progressModes)[number];

/** Shows transfers on stderr, one or several after each other as one. */
export interface Progress {
  event(event: TransferEvent): void;
  /** Writes a line of the result; one about a layer stands where that layer is shown. */
  say(line: string, about?: Digest): Promise<void>;
  /**
   * Takes it off the screen and leaves a summary, once; events are ignored afterwards.
   *
   * @param completed Whether all that was asked for was done.
   * @throws OciError as {@link Terminal.out}, of text that waited for the screen
   */
  end(completed: boolean): Promise<void>;
}

/** The words for what is done. */
export interface ActionWords {
  /** `Pulling` */
  readonly doing: string;
  /** `Pulled` */
  readonly did: string;
  /** What a layer that moves is doing: 11 characters at most, as all states. */
  readonly moving: string;
  readonly transferred: string;
  readonly exists: string;
}

export const actions = {
  pull: {
    doing: 'Pulling',
    did: 'Pulled',
    moving: 'Downloading',
    transferred: 'Pull complete',
    exists: 'Already exists',
  },
  push: {
    doing: 'Pushing',
    did: 'Pushed',
    moving: 'Uploading',
    transferred: 'Pushed',
    exists: 'Layer already exists',
  },
  copy: { doing: 'Copying', did: 'Copied', moving: 'Copying', transferred: 'Copied', exists: 'Already exists' },
} as const satisfies Readonly<Record<string, ActionWords>>;

type Action = keyof typeof actions;

export interface ProgressOptions {
  /** Default `auto`. */
  readonly mode?: ProgressMode | undefined;
  /** Whether the result alone is wanted: without a mode, nothing is shown. */
  readonly quiet: boolean;
  readonly action: Action;
  /** What it is done to: `alpine:3`. */
  readonly name: string;
  /** Where the bytes come from or go to, for the summary: `from registry.example.com`. Asked at the end. */
  readonly route?: (() => string | undefined) | undefined;
}
