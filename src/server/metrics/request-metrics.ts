import type { AnsweredRequest, RequestObserver } from '../options.ts';
import { type Count, Counter, type Distribution, type Family, Histogram } from './instruments.ts';

/** Methods that have a label of their own; others are `other`, or a client could make as many as it likes. */
const methods: ReadonlySet<string> = new Set(['get', 'head', 'put', 'post', 'patch', 'delete', 'options']);

const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];
/** 1 KiB to 2 GiB, doubling. */
const sizeBounds = Array.from({ length: 22 }, (_, at) => 1024 * 2 ** at);

/** The series of requests of one kind. */
interface RequestSeries {
  readonly total: Count;
  readonly seconds: Distribution;
  readonly received: Distribution;
  readonly sent: Distribution;
}

/** Metrics of requests, under the names, labels and bounds of distribution. */
export class RequestMetrics implements RequestObserver {
  readonly #inFlight = new Counter(
    'registry_http_in_flight_requests',
    'The in-flight HTTP requests',
    ['handler'],
    'gauge',
  );
  readonly #total = new Counter('registry_http_requests_total', 'Total number of HTTP requests made.', [
    'code',
    'handler',
    'method',
  ]);
  readonly #seconds = new Histogram(
    'registry_http_request_duration_seconds',
    'The HTTP request latencies in seconds.',
    ['handler', 'method'],
    durationBounds,
  );
  readonly #received = new Histogram(
    'registry_http_request_size_bytes',
    'The sizes of HTTP request bodies in bytes.',
    ['handler'],
    sizeBounds,
  );
  readonly #sent = new Histogram(
    'registry_http_response_size_bytes',
    'The sizes of HTTP response bodies in bytes.',
    ['handler'],
    sizeBounds,
  );
  /** In the order of their output. */
  readonly families: readonly Family[] = [this.#inFlight, this.#total, this.#seconds, this.#received, this.#sent];

  readonly #known = new Map<string, RequestSeries>();

  began(handler: string): void {
    this.#inFlight.at(handler).total += 1;
  }

  answered({ handler, method, status, durationMs, receivedBytes, sentBytes }: AnsweredRequest): void {
    if (handler !== undefined) this.#inFlight.at(handler).total -= 1;
    const word = method.toLowerCase();
    const { total, seconds, received, sent } = this.#at(status, handler ?? 'other', methods.has(word) ? word : 'other');
    total.total += 1;
    seconds.observe(durationMs / 1000);
    received.observe(receivedBytes);
    sent.observe(sentBytes);
  }

  #at(status: number, handler: string, method: string): RequestSeries {
    const key = `${status} ${handler} ${method}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = {
      total: this.#total.at(String(status), handler, method),
      seconds: this.#seconds.at(handler, method),
      received: this.#received.at(handler),
      sent: this.#sent.at(handler),
    };
    this.#known.set(key, made);
    return made;
  }
}
