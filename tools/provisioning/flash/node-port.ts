// A serial port of this machine as Web Serial has it, by serialport; and which ports there are.

import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import type { SerialPort } from "serialport";
import { GridsealError, reasonOf } from "../../errors.js";
import type { WebPort } from "../../flash/web-port.js";

/** A device that takes nothing for so long stands still, or is none; at 9,600 baud each byte takes a millisecond more. */
const STILL_MS_MAX = 3_000;
/** The system may hold on to a port whose device takes nothing; who closes it waits no longer. */
const CLOSE_MS_MAX = 2_000;

/** The port at a path such as /dev/ttyUSB0 or COM3; nothing is opened yet. Rejects with PORT_UNUSABLE where it cannot be opened. */
export async function nodePort(path: string): Promise<WebPort> {
  const { SerialPort } = await import("serialport");
  const usb = await usbOf(path);
  let port: SerialPort | undefined;
  let streams: Pick<WebPort, "readable" | "writable"> = { readable: null, writable: null };
  return {
    get readable() {
      return streams.readable;
    },
    get writable() {
      return streams.writable;
    },
    getInfo: () => usb,
    async open({ baudRate }) {
      const opened = new SerialPort({ path, baudRate, autoOpen: false });
      await new Promise<void>((resolve, reject) => {
        opened.open((error) => (error === null || error === undefined ? resolve() : reject(unusable(path, error))));
      });
      port = opened;
      streams = { readable: Readable.toWeb(opened) as ReadableStream<Uint8Array>, writable: writableOf(path, opened) };
    },
    setBaudRate: (baudRate) =>
      new Promise((resolve, reject) => {
        port?.update({ baudRate }, (error) => (error === null || error === undefined ? resolve() : reject(error)));
      }),
    async setSignals({ dataTerminalReady: dtr, requestToSend: rts }) {
      const signals = { ...(dtr !== undefined && { dtr }), ...(rts !== undefined && { rts }) };
      // A pseudo-terminal, and some adapters, have no such lines: whoever holds the board resets it.
      await new Promise<void>((resolve) => port?.set(signals, () => resolve()));
    },
    async close() {
      const closing = port;
      port = undefined;
      streams = { readable: null, writable: null };
      if (closing?.isOpen) await letGo(closing);
    },
  };
}

/** What is not taken in time ends the stream, as a port does that is gone. */
function writableOf(path: string, port: SerialPort): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (bytes) =>
      new Promise((resolve, reject) => {
        const patience_ms = STILL_MS_MAX + bytes.length;
        const what = `port ${path} takes nothing: ${bytes.length} bytes have waited for ${patience_ms} ms`;
        const timer = setTimeout(() => end(new GridsealError("PORT_UNUSABLE", what)), patience_ms);
        const closed = () => end(new Error("it was closed"));
        const end = (error: Error | null | undefined) => {
          clearTimeout(timer);
          port.removeListener("close", closed);
          if (!error) resolve();
          else reject(error instanceof GridsealError ? error : gone(path, error));
        };
        port.write(bytes, (error) => (error ? end(error) : port.drain(end)));
        port.once("close", closed);
      }),
  });
}

/** Closes the port; what it has not taken by now is thrown away, as the system would wait for it. */
function letGo(port: SerialPort): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_MS_MAX);
    port.flush(() =>
      port.close(() => {
        clearTimeout(timer);
        resolve();
      }),
    );
  });
}

function gone(path: string, cause: Error): GridsealError {
  return new GridsealError("PORT_UNUSABLE", `port ${path} is gone: ${cause.message}`, { cause });
}

function unusable(path: string, cause: Error): GridsealError {
  return new GridsealError("PORT_UNUSABLE", `port ${path} cannot be opened: ${cause.message}`, { cause });
}

/** Vendor and product of a USB port, from sysfs; nothing where the system has none of it. */
async function usbOf(path: string): Promise<ReturnType<WebPort["getInfo"]>> {
  const folder = await realpath(join("/sys/class/tty", basename(path), "device")).catch(() => undefined);
  if (folder === undefined) return {};
  // The interface's folder is below the device's: ttyUSB has one folder more than ttyACM.
  for (const above of ["..", "../.."]) {
    const read = (name: string) => readFile(join(folder, above, name), "utf8").catch(() => undefined);
    const [vendor, product] = [await read("idVendor"), await read("idProduct")];
    if (vendor !== undefined && product !== undefined)
      return { usbVendorId: Number.parseInt(vendor, 16), usbProductId: Number.parseInt(product, 16) };
  }
  return {};
}

/** Paths of the ports that a board may be at, the stable names first. Rejects with PORT_UNUSABLE where they cannot be listed. */
async function listPorts(): Promise<readonly string[]> {
  if (process.platform === "linux") {
    // serialport asks udevadm, and its absence ends the process.
    const stable = await readdir("/dev/serial/by-id").catch(() => []);
    if (stable.length > 0) return stable.sort().map((name) => `/dev/serial/by-id/${name}`);
    const devices = await readdir("/dev");
    return devices
      .filter((name) => /^tty(?:USB|ACM)\d+$/.test(name))
      .sort()
      .map((name) => `/dev/${name}`);
  }
  const { SerialPort } = await import("serialport");
  try {
    return (await SerialPort.list()).map(({ path }) => path);
  } catch (cause) {
    throw new GridsealError("PORT_UNUSABLE", `ports cannot be listed: ${reasonOf(cause)}`, { cause });
  }
}

/** The one port there is; `how` says how another one is named. Rejects with PORT_UNUSABLE where there are none or several. */
export async function onlyPort(how: string): Promise<string> {
  const ports = await listPorts();
  if (ports.length === 1) return ports[0]!;
  const found = ports.length === 0 ? "no serial port is there" : `there are several ports: ${ports.join(", ")}`;
  throw new GridsealError("PORT_UNUSABLE", `${found}; ${how}`);
}
