import type { YamlDocument } from '../../config/documents/yaml-document.ts';
import type { CompileTemplate, NameRule } from './name-rule.ts';

/** What a format is read with. */
export interface FormatInput {
  readonly document: YamlDocument;
  /** The file, for messages. */
  readonly file: string;
  /** Where images go for which the file names no place; undefined if it was not given. */
  readonly destination: NameRule | undefined;
  readonly compile: CompileTemplate;
}
