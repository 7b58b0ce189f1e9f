import { drivers } from './every-driver.ts';
import { uploadContract } from './upload-contract.ts';

for (const [name, open] of drivers) uploadContract({ name, open, seesHeld: true });
