import { ADDRCONFIG } from 'node:dns';
import { lookup as askResolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { monotonicMs } from '../model/clock.ts';

/** All addresses of a host name; rejects if there are none. */
type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

interface Answer {
  readonly addresses: ReturnType<Resolve>;
  readonly untilMs: number;
}

// As Node's sockets ask: no addresses of a family that this machine does not have.
const askSystem: Resolve = (hostname) =>
  askResolver(hostname, { all: true, hints: process.platform === 'win32' ? 0 : ADDRCONFIG });

/** The system's resolver keeps to itself how long an answer is good. */
const keptMs = 30_000;

/** Addresses of host names. Every connection would ask the resolver again, which takes a round trip of its own. */
export class Names {
  readonly #ask: Resolve;
  readonly #answers = new Map<string, Answer>();

  constructor(ask: Resolve = askSystem) {
    this.#ask = ask;
  }

  /** For sockets. What a guard checks is looked up anew, because such a name may be an attacker's. */
  readonly lookup: LookupFunction = (hostname, { all }, callback) => {
    this.#addresses(hostname).then(
      (found) => {
        if (all) callback(null, [...found]);
        else callback(null, found[0]?.address ?? '', found[0]?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };

  /** The next connection asks again: none of the addresses was of use. */
  forget(hostname: string): void {
    this.#answers.delete(hostname);
  }

  #addresses(hostname: string): ReturnType<Resolve> {
    const known = this.#answers.get(hostname);
    if (known && known.untilMs > monotonicMs()) return known.addresses;
    const addresses = this.#ask(hostname);
    this.#answers.set(hostname, { addresses, untilMs: monotonicMs() + keptMs });
    addresses.catch(() => this.forget(hostname));
    return addresses;
  }
}
