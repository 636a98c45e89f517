// The meter's port in the simulator: a serial device (a pseudo-terminal included) or a TCP gateway. A port that fails is opened again
// with growing delays.

import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import { closeSerial, openSerial, readSerial } from "./machine.js";

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;
/** A serial device is looked at so often; its driver holds 4 kB meanwhile. */
const SERIAL_MS = 20;

interface PortFields {
  readonly kind?: unknown;
  readonly path?: unknown;
  readonly baud?: unknown;
  readonly parity?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
}

/** Opens what the configuration names; `onFault` is told of every failure. */
export function openPort(port: unknown, onBytes: (bytes: Uint8Array) => void, onFault: (reason: string) => void): void {
  const fields = (typeof port === "object" && port !== null ? port : {}) as PortFields;
  const { kind, path, baud, parity, host, port: number } = fields;
  if (kind === "serial" && typeof path === "string") {
    return keepOpen(
      (onClosed) => watchSerial(path, typeof baud === "number" ? baud : 115_200, parity === "even", onBytes, onClosed),
      onFault,
    );
  }
  if (kind === "tcp" && typeof host === "string" && typeof number === "number") {
    return keepOpen((onClosed) => openTcp(host, number, onBytes, onClosed), onFault);
  }
  onFault(`meter port ${JSON.stringify(port)} is none of the simulator's: it has serial and tcp`);
}

function keepOpen(open: (onClosed: (reason: string) => void) => void, onFault: (reason: string) => void): void {
  let retry_ms = RETRY_MS_MIN;
  const attempt = (): void => {
    const onClosed = (reason: string): void => {
      onFault(reason);
      Timer.set(attempt, retry_ms);
      retry_ms = Math.min(2 * retry_ms, RETRY_MS_MAX);
    };
    try {
      open(onClosed);
    } catch (thrown) {
      onClosed(String(thrown));
    }
  };
  attempt();
}

/** Parity means seven bits, as IEC 62056-21 has it. */
function watchSerial(
  path: string,
  baud: number,
  even: boolean,
  onBytes: (bytes: Uint8Array) => void,
  onClosed: (reason: string) => void,
): void {
  const file = openSerial(path, baud, even ? 7 : 8, even);
  const timer = Timer.repeat(() => {
    try {
      const bytes = readSerial(file);
      if (bytes !== undefined) onBytes(new Uint8Array(bytes));
    } catch (thrown) {
      Timer.clear(timer);
      closeSerial(file);
      onClosed(`meter port ${path} failed: ${String(thrown)}`);
    }
  }, SERIAL_MS);
}

/** `host` is an address: what stands beside a meter is named by its address. */
function openTcp(
  host: string,
  port: number,
  onBytes: (bytes: Uint8Array) => void,
  onClosed: (reason: string) => void,
): void {
  new TCP({
    address: host,
    port,
    format: "buffer",
    onReadable(count) {
      const bytes = this.read(count);
      if (bytes !== undefined) onBytes(new Uint8Array(bytes));
    },
    onError() {
      this.close();
      onClosed(`meter at ${host}:${port} closed the connection`);
    },
  });
}
