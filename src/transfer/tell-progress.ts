import type { ProgressEvent, TransferEvent } from '../model/events.ts';
import { ProgressReporter } from '../model/progress/reporter.ts';

interface Telling {
  event(event: TransferEvent): void;
  /** Aborted also by what the callback throws. */
  readonly signal: AbortSignal;
  end(completed: boolean): void;
}

/** Calls a callback with the progress of a batch. */
export function tellProgress(onProgress: (event: ProgressEvent) => void, outer: AbortSignal | undefined): Telling {
  const stop = new AbortController();
  const reporter = new ProgressReporter('transfer', (event) => {
    if (stop.signal.aborted) return;
    try {
      onProgress(event);
    } catch (error) {
      stop.abort(error);
    }
  });
  return {
    event: (event) => reporter.event(event),
    signal: outer ? AbortSignal.any([outer, stop.signal]) : stop.signal,
    end: (completed) => reporter.end(completed),
  };
}
