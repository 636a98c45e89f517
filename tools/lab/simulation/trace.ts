// What happened in a run: a hash over all of it, which two runs of one seed share, and the last
// lines of it for who looks into one.

export interface Trace {
  say(line: string): void;
  readonly hash: number;
  readonly lines: number;
  /** the newest lines */
  recent(): string[];
}

const RECENT_MAX = 60;

export function createTrace(now_ms: () => number, onLine?: (line: string) => void): Trace {
  const ring: string[] = [];
  let hash = 0x811c9dc5;
  let lines = 0;
  return {
    say(line) {
      const text = `${now_ms().toFixed(3).padStart(11)} ${line}`;
      for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
      ring[lines % RECENT_MAX] = text;
      lines += 1;
      onLine?.(text);
    },
    get hash() {
      return hash >>> 0;
    },
    get lines() {
      return lines;
    },
    recent: () => [...ring.slice(lines % RECENT_MAX), ...ring.slice(0, lines % RECENT_MAX)],
  };
}
