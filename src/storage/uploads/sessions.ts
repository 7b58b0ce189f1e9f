import type { Driver, FoundSession, StorePath } from '../driver.ts';
import { deleteBelow } from '../listing.ts';
import { childPath } from '../paths.ts';

const [begunName, dataName] = [{ name: 'startedat' }, { name: 'data' }];

/** The session in a directory (`_uploads/<uuid>`), as the store has it; undefined if there is none or it has ended. */
export async function findSession(driver: Driver, session: StorePath): Promise<FoundSession | undefined> {
  const { uploads } = driver;
  const [begun, data] = [childPath(session, begunName), childPath(session, dataName)];
  if (uploads.session !== undefined) return await uploads.session(data, begun);
  const facts = await driver.stat(begun);
  if (facts === undefined) return undefined;
  const size = (await uploads.find(data))?.size ?? 0;
  const isBegun = async () => (await driver.stat(begun)) !== undefined;
  // If the session was swept between the two reads, it must not begin again.
  if (!(await isBegun())) return undefined;
  return {
    size,
    begunAt: facts.storedAt,
    async open() {
      if (!(await isBegun())) return undefined;
      const upload = (await uploads.resume(data)) ?? (await uploads.begin(data));
      if (upload.size === size || (await isBegun())) return upload;
      await upload.abort();
      return undefined;
    },
  };
}

/**
 * Removes a session. Its beginning goes first: a writer that finds fewer bytes than expected checks it to learn that the
 * session has ended.
 */
export async function removeSession(driver: Driver, session: StorePath): Promise<void> {
  await driver.delete(childPath(session, begunName));
  await driver.uploads.abort(childPath(session, dataName));
  await deleteBelow(driver, session);
}
