/** Prints its process id, and lives until it is killed. */
import { newProcessId } from '../../src/files/process-id.ts';

process.stdout.write(`${newProcessId()}\n`);
setInterval(() => {}, 60_000);
