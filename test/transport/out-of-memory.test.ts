import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitStatusOf } from '../../src/model/errors.ts';
import { isOutOfMemory } from '../../src/model/out-of-memory.ts';
import { failureKind, networkError } from '../../src/transport/failures.ts';

const url = new URL('http://registry.example/');

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

const failures: Readonly<Record<string, unknown>> = {
  'a buffer that does not fit': thrownBy(() => new ArrayBuffer(2 ** 52)),
  'memory of WebAssembly': new RangeError('WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory'),
  'a system call': Object.assign(new Error('read ENOMEM'), { code: 'ENOMEM' }),
  'what Node calls so': Object.assign(new Error('x'), { code: 'ERR_MEMORY_ALLOCATION_FAILED' }),
  'the cause of another': new TypeError('fetch failed', { cause: new RangeError('Array buffer allocation failed') }),
};

describe('a want of memory', () => {
  for (const [name, failure] of Object.entries(failures)) {
    it(`is named and not met by trying again: ${name}`, () => {
      const error = networkError(failure, url);
      assert.match(error.message, /^not enough memory to talk to registry\.example$/);
      assert.equal(error.retryable, false);
      assert.equal(failureKind(error), 'final');
      assert.equal(exitStatusOf(error), 1);
    });
  }

  it('is no other failure', () => {
    const circle = new Error('x');
    circle.cause = circle;
    for (const other of [
      circle,
      new RangeError('Invalid array length'),
      new Error('connection refused'),
      'text',
      undefined,
    ]) {
      assert.equal(isOutOfMemory(other), false);
    }
  });
});
