/** The framing of a chunked body, without anything that could be understood in two ways. */

/** Where the pieces of a body go. */
interface Pieces {
  content(piece: Uint8Array): void;
  /** What is between the content: sizes, line ends, trailers. */
  framing(piece: Uint8Array): void;
}

const lf = 0x0a;
/** Of a size with its extensions, and of all trailers. */
const maxLineBytes = 16 * 1024;
/** Eight digits: 4 GiB. Servers send chunks of kilobytes. */
const sizeLine = /^([0-9a-f]{1,8})(?:[\t ]*;[\t\x20-\x7e]*)?\r\n$/i;

/** Separates content and framing as the bytes come. @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
export class ChunkedFraming {
  #expects: 'size' | 'content' | 'line end' | 'trailer' | 'nothing' = 'size';
  #line = '';
  #trailerBytes = 0;
  #missing = 0;

  /** Whether the body has ended. */
  get ended(): boolean {
    return this.#expects === 'nothing';
  }

  /**
   * @returns The bytes after the end of the body, which belong to nothing.
   * @throws Error as undici's parser does, for anything but chunks.
   */
  read(bytes: Uint8Array, pieces: Pieces): Uint8Array {
    let rest = bytes;
    while (rest.length > 0 && !this.ended) {
      if (this.#expects === 'content') {
        const piece = rest.subarray(0, this.#missing);
        this.#missing -= piece.length;
        if (this.#missing === 0) this.#expects = 'line end';
        rest = rest.subarray(piece.length);
        pieces.content(piece);
      } else {
        const end = rest.indexOf(lf) + 1;
        const piece = end === 0 ? rest : rest.subarray(0, end);
        this.#line += Buffer.from(piece).toString('latin1');
        if (this.#line.length + this.#trailerBytes > maxLineBytes) throw notChunks();
        rest = rest.subarray(piece.length);
        pieces.framing(piece);
        if (end > 0) this.#lineEnded();
      }
    }
    return rest;
  }

  #lineEnded(): void {
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) throw notChunks();
    if (this.#expects === 'size') {
      const digits = sizeLine.exec(line)?.[1];
      if (digits === undefined) throw notChunks();
      this.#missing = Number.parseInt(digits, 16);
      this.#expects = this.#missing === 0 ? 'trailer' : 'content';
    } else if (this.#expects === 'line end') {
      if (line !== '\r\n') throw notChunks();
      this.#expects = 'size';
    } else if (line === '\r\n') this.#expects = 'nothing';
    else this.#trailerBytes += line.length;
  }
}

function notChunks(): Error {
  return Object.assign(new Error('the chunks of a body are invalid'), {
    name: 'HTTPParserError',
    code: 'HPE_INVALID_CHUNK_SIZE',
  });
}
