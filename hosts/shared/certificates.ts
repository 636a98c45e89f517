// The dates of a broker's certificates (RFC 5280, section 4.1.2.5) on a meter that may not know the time yet. The SDK compares them with
// a clock that stands in 1970 after a start. Here it checks chain and name by a clock at which the certificates are good, and the dates are
// judged by what the host knows of the time: at once where it knows it, else as soon as it does. Set up while the ROM image is made.

import CertificateManager, { type VerifyOptions } from "ssl/cert";
import X509 from "x509";

/** The dates of one connection's certificates; handed to its TLS session under `dates`. */
export interface CertificateDates {
  /** UTC in milliseconds; undefined while it is unknown */
  now_ms(): number | undefined;
  /** Within these all certificates are valid; undefined before they have come. */
  period: { readonly from_ms: number; readonly to_ms: number } | undefined;
  isChecked: boolean;
}

export function createDates(now_ms: () => number | undefined): CertificateDates {
  return { now_ms, period: undefined, isChecked: false };
}

/** Why the dates do not permit the connection; undefined where they do, or nobody can tell yet. */
export function objectionOf(dates: CertificateDates): string | undefined {
  const time_ms = dates.now_ms();
  if (dates.period === undefined || dates.isChecked || time_ms === undefined) return undefined;
  const { from_ms, to_ms } = dates.period;
  dates.isChecked = true;
  if (from_ms < time_ms && time_ms < to_ms) return undefined;
  return `broker's certificate is valid from ${dayOf(from_ms)} to ${dayOf(to_ms)}, and it is ${dayOf(time_ms)}`;
}

/** What `Date.now` shows while the SDK looks at certificates. */
const shown: { time_ms: number | undefined } = { time_ms: undefined };
const now = Date.now;
Date.now = () => shown.time_ms ?? now();

const registerBySdk = CertificateManager.prototype.register;
const verifyBySdk = CertificateManager.prototype.verify;

/** Of the authority, and of the broker once it is verified: `verify` judges the dates of both. */
CertificateManager.prototype.register = function (certificate) {
  showing(validityOf(certificate).from + 1, () => registerBySdk.call(this, certificate));
};

/**
 * The broker's own certificate must be issued by the authority itself. The SDK's check of longer chains is no use: it asks neither that
 * each certificate is issued by the next nor that the next one may issue any. Only the name is left to it, in a chain known to be good.
 */
CertificateManager.prototype.verify = function (certificates: readonly Uint8Array[], options: VerifyOptions) {
  const { dates, certificate } = options;
  const [own] = certificates;
  if (own === undefined || certificate === undefined) return refuse("broker or authority has no certificate");
  const authority = new Uint8Array(certificate);
  if (!this._verify(X509.decodeSPKI(authority), X509.decode(own))) {
    return refuse("broker's certificate is not issued by the meter's authority");
  }
  const validities = [own, authority].map(validityOf);
  const from_ms = Math.max(...validities.map(({ from }) => from));
  dates.period = { from_ms, to_ms: Math.min(...validities.map(({ to }) => to)) };
  const objection = objectionOf(dates);
  if (objection !== undefined) return refuse(objection);
  return showing(from_ms + 1, () => verifyBySdk.call(this, [own, authority], options));
};

function refuse(reason: string): false {
  trace(`TLS: ${reason}\n`);
  return false;
}

function showing<Result>(time_ms: number, run: () => Result): Result {
  shown.time_ms = time_ms;
  try {
    return run();
  } finally {
    shown.time_ms = undefined;
  }
}

function validityOf(certificate: Uint8Array | ArrayBuffer): { readonly from: number; readonly to: number } {
  return X509.decodeTBS(X509.decode(new Uint8Array(certificate)).tbs).validity;
}

function dayOf(time_ms: number): string {
  return new Date(time_ms).toISOString().slice(0, 10);
}
