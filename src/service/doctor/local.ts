/** What `doctor` does without asking a registry. */
export { forgetHost } from './forget.ts';
export { listLearned } from './learned.ts';
export { examineFiles, examineMachine } from './machine.ts';
