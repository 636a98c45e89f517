// Netstrings (D. J. Bernstein, https://cr.yp.to/proto/netstrings.txt), the framing of xsnap's pipes: decimal length, ":", bytes, ",".

const COLON = 0x3a;
const COMMA = 0x2c;
const LENGTH_DIGITS_MAX = 9;

/** A netstring whose bytes are one prefix byte and `body`. */
export function netstring(prefix: number, body: Uint8Array): Buffer {
  const head = `${body.length + 1}:`;
  const framed = Buffer.allocUnsafe(head.length + body.length + 2);
  framed.write(head, "latin1");
  framed[head.length] = prefix;
  framed.set(body, head.length + 1);
  framed[framed.length - 1] = COMMA;
  return framed;
}

/**
 * A reader of a stream of netstrings, fed chunk by chunk.
 * It returns what is wrong with the stream, after which it must not be fed again, or undefined.
 */
export function createNetstringReader(
  length_max: number,
  onMessage: (message: Buffer) => void,
): (chunk: Buffer) => string | undefined {
  let chunks: Buffer[] = [];
  let held = 0;
  /** Bytes that must be held before another look is worth it, so that a long message is joined once. */
  let wanted = 1;

  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < wanted) return undefined;
    const stream = chunks.length === 1 ? chunk : Buffer.concat(chunks, held);
    let at = 0;
    wanted = 1;
    while (at < stream.length) {
      const colon = stream.indexOf(COLON, at);
      const head = stream.toString("latin1", at, colon < 0 ? stream.length : colon);
      if (!/^[0-9]*$/.test(head) || head.length > LENGTH_DIGITS_MAX) return "a netstring has no length";
      if (colon < 0) break;
      const length = Number(head);
      if (head === "" || length > length_max) return `a netstring of ${head} bytes, at most ${length_max} are accepted`;
      const end = colon + 1 + length;
      if (end >= stream.length) {
        wanted = end + 1 - at;
        break;
      }
      if (stream[end] !== COMMA) return "a netstring has no comma at its end";
      onMessage(stream.subarray(colon + 1, end));
      at = end + 1;
    }
    chunks = at < stream.length ? [stream.subarray(at)] : [];
    held = stream.length - at;
    return undefined;
  };
}
