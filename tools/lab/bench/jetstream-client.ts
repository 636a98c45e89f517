// NATS' text protocol as far as a benchmark needs it: messages published into a JetStream stream.
// Each has a reply subject of its own, on which the stream says that it has stored it.

import { connect } from "node:net";
import { ANSWER_MAX_MS, type PeerConnection } from "./peer-connection.js";

const STREAM = "GRIDSEAL";
const SUBJECT = "gridseal.records";
/** The servers elect a leader for the stream before it can be made. */
const ATTEMPTS_MAX = 60;
const ATTEMPT_MS = 500;

/** A message that the server hands over: `MSG <subject> <sid> <bytes>`. */
export interface NatsMessage {
  readonly subject: string;
  readonly payload: string;
}

interface Session {
  /** The answer, or undefined where none came in time. */
  request(subject: string, payload: Uint8Array): Promise<string | undefined>;
  close(): void;
}

interface Waiting {
  readonly asked_ms: number;
  resolve(payload: string | undefined): void;
  reject(error: Error): void;
}

export async function openJetStream(port: number): Promise<PeerConnection> {
  const session = await openSession(port);
  return {
    async store(_key, bytes) {
      const answer = await session.request(SUBJECT, bytes);
      if (answer?.includes('"error"')) throw new Error(`JetStream answered ${answer}`);
      return answer !== undefined;
    },
    close: session.close,
  };
}

/** Makes the stream: files, three replicas. Throws where the servers do not come to it. */
export async function createStream(port: number): Promise<void> {
  const session = await openSession(port);
  const terms = { name: STREAM, subjects: [SUBJECT], storage: "file", num_replicas: 3, retention: "limits" };
  try {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await session.request(`$JS.API.STREAM.CREATE.${STREAM}`, Buffer.from(JSON.stringify(terms)));
      if (answer !== undefined && !answer.includes('"error"')) return;
      if (attempt === ATTEMPTS_MAX) throw new Error(`JetStream answered ${answer ?? "nothing"}`);
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS));
    }
  } finally {
    session.close();
  }
}

function openSession(port: number): Promise<Session> {
  const inbox = `_INBOX.${process.pid}-${port}-${Math.floor(Math.random() * 2 ** 32)}`;
  const waiting = new Map<string, Waiting>();
  let asked = 0;
  /** Requests are as old as their order in the map: one timer looks at the oldest. */
  const timer = setInterval(() => {
    const expired_ms = performance.now() - ANSWER_MAX_MS;
    for (const [reply, { asked_ms, resolve }] of waiting) {
      if (asked_ms > expired_ms) break;
      waiting.delete(reply);
      resolve(undefined);
    }
  }, ANSWER_MAX_MS / 10);
  return new Promise((resolveOpen, rejectOpen) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const fail = (error: Error) => {
      clearInterval(timer);
      rejectOpen(error);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    const session: Session = {
      request: (subject, payload) =>
        new Promise((resolve, reject) => {
          asked += 1;
          const reply = `${inbox}.${asked}`;
          waiting.set(reply, { resolve, reject, asked_ms: performance.now() });
          const head = Buffer.from(`PUB ${subject} ${reply} ${payload.length}\r\n`);
          socket.write(Buffer.concat([head, payload, Buffer.from("\r\n")]));
        }),
      close: () => {
        clearInterval(timer);
        socket.destroy();
      },
    };
    const read = createNatsReader({
      onMessage({ subject, payload }) {
        waiting.get(subject)?.resolve(payload);
        waiting.delete(subject);
      },
      onLine(line) {
        if (line === "PING") socket.write("PONG\r\n");
        else if (line === "PONG") resolveOpen(session);
        else if (line.startsWith("-ERR")) fail(new Error(`NATS answered ${line}`));
        else if (line.startsWith("INFO")) {
          socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${inbox}.* 1\r\nPING\r\n`);
        }
      },
    });
    socket.on("data", read);
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("NATS ended the connection")));
  });
}

/**
 * Cuts the server's stream into messages and other lines; `INFO`, `PING`, `PONG` and `-ERR` are
 * lines.
 */
export function createNatsReader(events: {
  onMessage(message: NatsMessage): void;
  onLine(line: string): void;
}): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let offset = 0;
    for (;;) {
      const lineEnd = bytes.indexOf("\r\n", offset, "latin1");
      if (lineEnd < 0) break;
      const line = bytes.toString("latin1", offset, lineEnd);
      if (!line.startsWith("MSG ")) {
        events.onLine(line);
        offset = lineEnd + 2;
        continue;
      }
      const fields = line.split(" ");
      const payloadEnd = lineEnd + 2 + Number(fields[fields.length - 1]);
      if (payloadEnd + 2 > bytes.length) break;
      events.onMessage({ subject: fields[1]!, payload: bytes.toString("utf8", lineEnd + 2, payloadEnd) });
      offset = payloadEnd + 2;
    }
    rest = Buffer.from(bytes.subarray(offset));
  };
}
