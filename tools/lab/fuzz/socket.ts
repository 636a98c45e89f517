// A TCP connection for messages that may end it at any time: writes, waits for answers within a patience, and says when it is gone.

import { connect, type Socket } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RawConnection {
  readonly isOpen: boolean;
  write(bytes: Uint8Array): void;
  /** Waits until `enough` says so of what has come, the connection has ended, or the time is over. */
  wait(enough: () => boolean, patience_ms: number): Promise<void>;
  close(): void;
}

/**
 * Resolves when the connection is made or has failed; `onBytes` gets what comes, and may throw to end it. One that does not read
 * notices its end when it writes.
 */
export function openRaw(
  address: Address,
  onBytes: (chunk: Buffer) => void,
  { reads } = { reads: true },
): Promise<RawConnection> {
  const socket: Socket = connect({ ...address, noDelay: true });
  let open = false;
  let wake = () => {};
  const end = () => {
    open = false;
    socket.destroy();
    wake();
  };
  socket.on("data", (chunk: Buffer) => {
    try {
      onBytes(chunk);
    } catch {
      return end();
    }
    wake();
  });
  if (!reads) socket.pause();
  socket.on("error", end);
  socket.on("end", end);
  socket.on("close", end);
  const connection: RawConnection = {
    get isOpen() {
      return open;
    },
    write: (bytes) => void socket.write(bytes),
    async wait(enough, patience_ms) {
      const until_ms = performance.now() + patience_ms;
      while (open && !enough()) {
        const left_ms = until_ms - performance.now();
        if (left_ms <= 0) return;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left_ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    close: end,
  };
  return new Promise((resolve) => {
    socket.once("connect", () => {
      open = true;
      resolve(connection);
    });
    socket.once("close", () => resolve(connection));
  });
}
