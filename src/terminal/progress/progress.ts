/** The interface of progress displays, and the words they use. */
import type { Digest } from '../../model/digest.ts';
import type { TransferEvent, Waiting } from '../../model/events.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';

/** How progress is shown. `auto` chooses `bars` or `plain`. */
export const progressModes = ['auto', 'bars', 'plain', 'json', 'none'] as const;
export type ProgressMode = (typeof progressModes)[number];

/** Shows transfers on stderr; several in a row are shown as one. */
export interface Progress {
  event(event: TransferEvent): void;
  /** Shows that a request waits that is not a blob's; absent if it shows nothing. */
  waiting?(wait: Waiting): void;
  /** Writes a line of the result. If it is about a layer, it appears where that layer is shown. */
  say(line: string, about?: Digest): Promise<void>;
  /** The layers of one of several images no longer need to be shown: their lines follow together. Absent if nothing stays. */
  concluded?(layers: readonly { readonly descriptor: Descriptor }[]): void;
  /**
   * Removes the display and leaves a summary, once; later events are ignored.
   *
   * @param completed Whether everything that was requested is done.
   * @throws OciError as {@link Terminal.out}, for text that waited for the screen
   */
  end(completed: boolean): Promise<void>;
}

/** The words for an action. */
export interface ActionWords {
  /** `Pulling` */
  readonly doing: string;
  /** `Pulled` */
  readonly did: string;
  /** The state of a layer that is moving: at most 11 characters, like all states. */
  readonly moving: string;
  readonly transferred: string;
  readonly exists: string;
  /** Why nothing moved. Default: everything was there already. */
  readonly idle?: string;
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
  scrub: {
    doing: 'Checking',
    did: 'Checked',
    moving: 'Reading',
    transferred: 'Checked',
    exists: 'Checked',
    idle: 'there is nothing to read',
  },
  load: { doing: 'Loading', did: 'Loaded', moving: 'Loading', transferred: 'Loaded', exists: 'Already exists' },
  save: { doing: 'Saving', did: 'Saved', moving: 'Saving', transferred: 'Saved', exists: 'Already exists' },
  copy: { doing: 'Copying', did: 'Copied', moving: 'Copying', transferred: 'Copied', exists: 'Already exists' },
} as const satisfies Readonly<Record<string, ActionWords>>;

type Action = keyof typeof actions;

export interface ProgressOptions {
  /** Default `auto`. */
  readonly mode?: ProgressMode | undefined;
  /** Whether only the result is wanted: without a mode, no progress is shown. */
  readonly quiet: boolean;
  readonly action: Action;
  /** What the action is for: `alpine:3`. */
  readonly name: string;
  /** Whether it moves several images, which may share layers: then no layer leaves a line of its own. Default false. */
  readonly several?: boolean | undefined;
  /** Where the bytes come from or go to, for the summary: `from registry.example.com`. Called at the end. */
  readonly route?: (() => string | undefined) | undefined;
}
