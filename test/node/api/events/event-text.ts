// Server-sent events as a reader takes them apart (HTML Living Standard, section 9.2.6), for the tests of the stream.

export interface TakenEvent {
  readonly name: string;
  readonly value: Record<string, unknown>;
}

export interface EventReader {
  /** Takes what has come; an event counts from its empty line on. */
  take(text: string): void;
  /** The connection is lost: what has no end yet is forgotten. */
  lose(): void;
  readonly events: readonly TakenEvent[];
  /** what a reader sends when it connects again; undefined before the first */
  readonly lastId: string | undefined;
}

export function createEventReader(): EventReader {
  const events: TakenEvent[] = [];
  let rest = "";
  let lastId: string | undefined;
  const dispatch = (block: string) => {
    let name = "message";
    let text: string | undefined;
    for (const line of block.split("\n")) {
      const [, field, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
      if (field === "id") lastId = value;
      if (field === "event") name = value!;
      if (field === "data") text = value;
    }
    if (text !== undefined) events.push({ name, value: JSON.parse(text) as Record<string, unknown> });
  };
  return {
    events,
    get lastId() {
      return lastId;
    },
    lose() {
      rest = "";
    },
    take(text) {
      rest += text;
      for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
        dispatch(rest.slice(0, end));
        rest = rest.slice(end + 2);
      }
    },
  };
}
