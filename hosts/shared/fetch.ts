// One HTTP GET over the SDK's sockets. What a server sends is passed on as it comes, and nothing it sends throws. The time that it
// takes is watched by who asked for it.

import Timer, { type TimerId } from "timer";
import { type Answer, beginAnswer, hear, type Place, placeOf, requestOf } from "./http.js";
import type { Network } from "./mqtt.js";
import { GuardedTCP } from "./tls.js";

export interface FetchEvents {
  onBytes(bytes: Uint8Array): void;
  /** All that was announced has come. */
  onEnded(): void;
  onFailed(reason: string): void;
}

/** What both kinds of sockets have. */
interface Socket {
  read(count?: number): ArrayBuffer | undefined;
  write(bytes: ArrayBuffer): number;
  close(): void;
}
type SocketClass = new (options: object) => Socket;

/** Fetches a body of at most `bytesMax`. Events begin after this has been made and end with `onEnded` or `onFailed`. */
export class Fetch {
  private readonly url: string;
  private readonly network: Network;
  private readonly events: FetchEvents;
  private readonly answer: Answer;
  private socket: Socket | undefined;
  private isSent = false;
  private isOver = false;
  private timer: TimerId | undefined;

  constructor(url: string, bytesMax: number, network: Network, events: FetchEvents) {
    this.url = url;
    this.network = network;
    this.events = events;
    this.answer = beginAnswer(bytesMax);
    this.timer = Timer.set(() => this.start());
  }

  /** No event follows. */
  close(): void {
    this.isOver = true;
    if (this.timer !== undefined) Timer.clear(this.timer);
    this.timer = undefined;
    const open = this.socket;
    this.socket = undefined;
    // A socket is not closed inside one of its own callbacks.
    if (open !== undefined) Timer.set(() => open.close());
  }

  private fail(reason: string): void {
    if (this.isOver) return;
    this.close();
    this.events.onFailed(reason);
  }

  private start(): void {
    this.timer = undefined;
    const place = placeOf(this.url);
    const down = this.network.down();
    if (place === undefined) return this.fail(`${this.url} is no URL of firmware`);
    if (down !== undefined) return this.fail(`no network: ${down}`);
    this.network.resolve(place.host, (address) => {
      if (this.isOver) return;
      if (address === undefined) return this.fail(`the name ${place.host} cannot be resolved`);
      try {
        this.open(place, address);
      } catch (thrown) {
        this.fail(`${this.url}: ${String(thrown)}`);
      }
    });
  }

  private open(place: Place, address: string): void {
    const { host, port, secure } = place;
    const options = secure ? this.network.socket(true, host) : { io: GuardedTCP };
    const { io } = options as { readonly io: unknown };
    this.socket = new (io as SocketClass)({
      ...options,
      address,
      host,
      port,
      format: "buffer",
      onWritable: () => {
        if (this.isSent || this.isOver) return;
        this.isSent = true;
        this.socket?.write(ArrayBuffer.fromString(requestOf(place)));
      },
      onReadable: (count: number) => {
        const bytes = this.isOver ? undefined : this.socket?.read(count);
        if (bytes !== undefined) this.take(new Uint8Array(bytes));
      },
      onError: () => this.fail("the server closes the connection"),
    });
  }

  private take(bytes: Uint8Array): void {
    const heard = hear(this.answer, bytes);
    if (heard.kind === "failed") return this.fail(heard.reason);
    if (heard.kind === "more") return;
    if (heard.bytes.length > 0) this.events.onBytes(heard.bytes);
    if (!heard.last || this.isOver) return;
    this.close();
    // What follows verifies signatures: not on top of the socket's stack.
    this.timer = Timer.set(this.events.onEnded);
  }
}
