// A board's console with Improv Wi-Fi: what its radio hears, and whether the network that was told has let it in. A manifest may leave it
// out, and the console is one of lines alone.

import WiFi from "embedded:network/interface/wifi";
import config from "mc/config";
import Timer from "timer";
import type { Field } from "../shared/field.js";
import { Improv, type ImprovPorts } from "../shared/improv.js";
import { put } from "../shared/lines.js";
import { FieldConsole } from "./console.js";
import type { NetworkOptions } from "./network.js";

const WATCH_MS = 1_000;
/** The driver says that it has left a network a little later. */
const LEAVE_MS = 2_000;

export class ImprovConsole extends FieldConsole {
  private readonly improv: Improv;

  /** The station takes what stands in `settings` whenever it connects; `down` says why there is no network. */
  constructor(field: Field, settings: Pick<NetworkOptions, "ssid" | "password">, down: () => string | undefined) {
    super(field);
    const write = (bytes: Uint8Array): void => {
      put(this.output, bytes);
      this.write();
    };
    this.improv = new Improv({ ...radioOf(field, settings, down), field, write });
    Timer.repeat(() => this.improv.watch(), WATCH_MS);
  }

  protected override hear(bytes: Uint8Array): void {
    super.hear(this.improv.take(bytes));
  }
}

function radioOf(
  field: Field,
  settings: Pick<NetworkOptions, "ssid" | "password">,
  down: () => string | undefined,
): Omit<ImprovPorts, "field" | "write"> {
  const radio = new WiFi({ onChanged() {} });
  let left_ms = Number.NEGATIVE_INFINITY;
  return {
    down: () => (field.uptime_ms() < left_ms + LEAVE_MS ? "another network is left" : down()),
    join() {
      left_ms = field.uptime_ms();
      settings.ssid = field.get("ssid")!;
      settings.password = field.get("password");
      radio.disconnect();
      // The station may wait long before it tries again.
      connect(radio, settings);
    },
    scan(onFound, onDone) {
      try {
        radio.scan({
          onFound: ({ SSID, RSSI, security }) => onFound(SSID, RSSI, security === "none"),
          onComplete: onDone,
        });
      } catch {
        onDone(); // it is connecting, or scans already
      }
    },
    about: () => ["Gridseal", String(config.version), String(config.board), `meter ${field.mac() ?? ""}`],
  };
}

function connect(radio: WiFi, { ssid, password }: Pick<NetworkOptions, "ssid" | "password">): void {
  try {
    radio.connect(password === undefined ? { SSID: ssid } : { SSID: ssid, password, secure: true });
  } catch {
    // The station connects already, with the same settings.
  }
}
