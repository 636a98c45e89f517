// What the meter shows to a broker: its id, and a token signed for each connection. A meter without a clock, or whose token was refused,
// connects without one and is told the time by a node.

import type { MqttOptions } from "../host.js";
import { audienceOf, SESSION_RANDOM_BYTES, sessionToken } from "../wire/session.js";
import type { Identity } from "./identity.js";
import type { Moment } from "./recorder.js";

/** Connecting takes seconds; a token that is overheard is good for the rest. */
const TOKEN_S = 300;

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
export class Session {
  /** UTC less uptime, as a node has told it */
  private toldEpoch_ms = 0;
  /** the broker by way of which it was told */
  private toldBy = "";
  /** brokers at which the next connection is to show no token: what one does not answer says nothing of another */
  private readonly doubting = new Set<string>();

  constructor(
    private readonly identity: Identity,
    private readonly genesis: Uint8Array,
    private readonly credential: Uint8Array,
    private readonly random: (length: number) => Uint8Array,
  ) {}

  /** The options with user and password; as they are where the time is not known. */
  shown(options: MqttOptions, now: Moment): MqttOptions {
    const { toldEpoch_ms, identity } = this;
    const hasTime = toldEpoch_ms !== 0 || now.quality === 1 || now.quality === 2;
    if (!hasTime || this.doubting.has(options.url)) return options;
    const time_ms = toldEpoch_ms === 0 ? now.time_ms : toldEpoch_ms + now.uptime_ms;
    const issued_s = Math.floor(time_ms / 1000);
    const claims = {
      genesis: this.genesis,
      audience: audienceOf(options.url),
      issued_s,
      expires_s: issued_s + TOKEN_S,
      random: this.random(SESSION_RANDOM_BYTES),
    };
    const token = sessionToken(this.credential, claims, identity.signer);
    const password = new Uint8Array(token.length);
    for (let index = 0; index < token.length; index += 1) password[index] = token.charCodeAt(index);
    return { ...options, username: identity.id, password };
  }

  told(url: string, time_s: number, uptime_ms: number): void {
    this.toldEpoch_ms = time_s * 1000 - uptime_ms;
    this.toldBy = url;
    this.doubting.delete(url);
  }

  /** A connection did not come about, or brought no time: the next one with this broker is tried the other way. */
  failed(url: string): void {
    if (url === this.toldBy) this.toldEpoch_ms = 0;
    if (!this.doubting.delete(url)) this.doubting.add(url);
  }
}
