// Where a meter's bytes come from: a serial port, a TCP gateway, a capture file. A port that fails is
// opened again, with growing delays, until it is closed.

import { connect } from "node:net";
import { lineOf } from "../../../src/agent/meter-configuration.js";
import type { Line } from "../../../src/meter/line.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readFrames } from "./capture.js";
import type { DevicePort } from "./port-configuration.js";
import { type ConnectionEvents, type OpenedPort, openSerial } from "./serial.js";

const retry_ms_min = 500;
const retry_ms_max = 30_000;

/**
 * Opens a port. `onBytes` gets the bytes as they arrive; `onError` a METER_PORT_FAILED or FILE_UNREADABLE for every failure,
 * after which serial ports and TCP are tried again, and once for a port that is none. `line` is what a serial port begins with: what it states itself, else P1's, where
 * it is not given.
 */
export function openDevicePort(
  port: DevicePort,
  onBytes: (bytes: Uint8Array) => void,
  onError: (error: GridsealError) => void,
  line?: Line,
): OpenedPort {
  switch (port.kind) {
    case "serial": {
      let last = line ?? lineOf({ protocol: "p1", port });
      const opened = keepOpen((events) => openSerial(port.path, last, onBytes, events), onError);
      return {
        ...opened,
        setLine(next) {
          last = next;
          opened.setLine(next);
        },
      };
    }
    case "tcp":
      return keepOpen((events) => openTcp(port.host, port.port, onBytes, events), onError);
    case "file":
      return openFile(port.path, port.interval_ms, onBytes, onError);
    case "none":
      return openNone(onError);
  }
}

/** Says once that there is none. */
function openNone(onError: (error: GridsealError) => void): OpenedPort {
  const what = "no port is named: name one as meter.port of configuration.json";
  const telling = setImmediate(() => onError(new GridsealError("METER_PORT_FAILED", what)));
  return { close: () => clearImmediate(telling), write() {}, setLine() {} };
}

/** Opens again after `onClosed`, at once doubling the delay up to half a minute; a connection that stood resets it. */
function keepOpen(open: (events: ConnectionEvents) => OpenedPort, onError: (error: GridsealError) => void): OpenedPort {
  let connection: OpenedPort | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let retry_ms = retry_ms_min;
  const attempt = (): void => {
    let ended = false;
    connection = open({
      onOpened: () => {
        retry_ms = retry_ms_min;
      },
      onClosed: (reason) => {
        if (ended || closed) return;
        ended = true;
        timer = setTimeout(attempt, retry_ms);
        retry_ms = Math.min(retry_ms * 2, retry_ms_max);
        onError(new GridsealError("METER_PORT_FAILED", reason));
      },
    });
  };
  attempt();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      connection?.close();
    },
    write: (bytes) => connection?.write(bytes),
    setLine: (line) => connection?.setLine(line),
  };
}

function openTcp(
  host: string,
  port: number,
  onBytes: (bytes: Uint8Array) => void,
  events: ConnectionEvents,
): OpenedPort {
  const socket = connect({ host, port });
  let reason = "it closed the connection";
  socket.setKeepAlive(true, 10_000);
  socket.on("connect", events.onOpened);
  socket.on("data", onBytes);
  socket.on("error", (error) => {
    reason = error.message;
  });
  socket.on("close", () => events.onClosed(`meter at ${host}:${port}: ${reason}`));
  return {
    close: () => socket.destroy(),
    write(bytes) {
      // What a gateway does not take is lost, as on a wire.
      if (socket.writableLength === 0 && !socket.destroyed) socket.write(bytes);
    },
    // The gateway's own settings say how it speaks to the meter.
    setLine() {},
  };
}

/** Its telegrams in turn, from the first again after the last. A file that cannot be read stays so: it is not tried again. */
function openFile(
  path: string,
  interval_ms: number,
  onBytes: (bytes: Uint8Array) => void,
  onError: (error: GridsealError) => void,
): OpenedPort {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const replay = (frames: readonly Uint8Array[]): void => {
    let next = 0;
    if (closed) return;
    timer = setInterval(() => onBytes(frames[next++ % frames.length]!), interval_ms);
  };
  readFrames(path).then(replay, (thrown) => {
    if (!closed) {
      onError(thrown instanceof GridsealError ? thrown : new GridsealError("METER_PORT_FAILED", reasonOf(thrown)));
    }
  });
  return {
    close() {
      closed = true;
      clearInterval(timer);
    },
    write() {},
    setLine() {},
  };
}
