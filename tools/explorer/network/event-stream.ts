// The node's events as they come, over fetch: an EventSource shows no session token. It is taken up again behind the last event that
// came (HTML Living Standard, section 9.2).

import { reasonOf } from "../../errors.js";
import { type EventTopic, events } from "../../routes/events.js";
import { ask, pause, Refusal } from "./ask.js";

const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 15_000;
const LINE_CHARACTERS_MAX = 1_048_576;

export interface ServerEvent {
  readonly name: string;
  readonly text: string;
  readonly id: string | undefined;
}

export interface Listener {
  onEvent(event: ServerEvent): void;
  /** `reason` where the stream is not there at the moment */
  onState(state: { readonly isLive: boolean; readonly reason?: string; readonly refusal?: string }): void;
}

/** Listens from the position on until it is told to stop. */
export function listen(topic: EventTopic, after: string | undefined, listener: Listener): () => void {
  const stopping = new AbortController();
  void follow(topic, after, listener, stopping.signal);
  return () => stopping.abort();
}

async function follow(
  topic: EventTopic,
  after: string | undefined,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  let last = after;
  for (let wait_ms = AGAIN_MS; !signal.aborted; wait_ms = Math.min(2 * wait_ms, AGAIN_MS_MAX)) {
    try {
      const query = { topic, ...(last !== undefined && { after: last }) };
      const response = await ask(events, { parameters: {}, query, signal });
      listener.onState({ isLive: true });
      wait_ms = AGAIN_MS;
      for await (const event of eventsIn(response.body!)) {
        last = event.id ?? last;
        if (event.name !== "") listener.onEvent(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      const refusal = error instanceof Refusal ? { refusal: error.code } : {};
      listener.onState({ isLive: false, reason: reasonOf(error), ...refusal });
    }
    await pause(wait_ms);
  }
}

async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  const parser = createEventParser();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield* parser(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Takes text piece by piece, and returns the events that are whole with it. Throws where a line has no end. */
export function createEventParser(): (text: string) => ServerEvent[] {
  let rest = "";
  let name = "";
  let text: string[] = [];
  let id: string | undefined;
  const take = (line: string): ServerEvent[] => {
    if (line === "") {
      const event = { name, text: text.join("\n"), id };
      [name, text, id] = ["", [], undefined];
      return event.text === "" && event.id === undefined ? [] : [event];
    }
    const [, field, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
    if (field === "event") name = value!;
    if (field === "data") text.push(value!);
    if (field === "id") id = value!;
    return [];
  };
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    if (rest.length > LINE_CHARACTERS_MAX) throw new RangeError("a line of the node's events has no end");
    return lines.flatMap(take);
  };
}
