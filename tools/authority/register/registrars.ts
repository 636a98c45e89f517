// Registrars, pure: who may ask for credentials of devices, within which limits. They are rules of the register, so that its audit
// finds a credential that was issued beyond them.

import { isDevice, type Role } from "../../../src/wire/credential.js";
import { type Applied, applied, refused } from "./applied.js";
import { currentCredential, type Limits, type NewCredential, type Put, type RegisterView } from "./rows.js";

/** New limits for a participant; what was stopped begins again. */
export function applyRegistrar(view: RegisterView, id: string, limits: Limits): Applied {
  if (view.get("participants", id) === undefined) return refused(`there is no participant ${id}`);
  if (limits.lots.length === 0) return refused(`registrar ${id} is given no lot`);
  const devices = view.get("registrars", id)?.devices ?? 0;
  const row = { id, ...limits, devices };
  return applied(view, [{ table: "registrars", id, row }]);
}

export function applyStop(view: RegisterView, id: string, reason: string): Applied {
  const before = view.get("registrars", id);
  if (before === undefined) return refused(`there is no registrar ${id}`);
  if (before.stopped !== undefined) return refused(`registrar ${id} is stopped already: ${before.stopped}`);
  return applied(view, [{ table: "registrars", id, row: { ...before, stopped: reason } }]);
}

export interface Registration {
  readonly credential: Pick<NewCredential, "services" | "roles">;
  readonly registrar: string;
  /** of the device */
  readonly lot: string | undefined;
  readonly time_s: number;
}

/** The registrar's row with one device more; why not where its limits do not allow it. */
export function countRegistered(view: RegisterView, registration: Registration): Put | string {
  const { credential, registrar: id, lot, time_s } = registration;
  const row = view.get("registrars", id);
  if (row === undefined) return `${id} is no registrar`;
  if (row.stopped !== undefined) return `registrar ${id} is stopped: ${row.stopped}`;
  const own = currentCredential(view, id);
  if (own?.state !== "valid") return `registrar ${id} has no credential in force`;
  if (time_s >= own.expires_s) return `the credential of registrar ${id} ended at ${timeOf(own.expires_s)}`;
  if (time_s >= row.until_s) return `registrar ${id} was to register devices until ${timeOf(row.until_s)}`;
  if (row.devices >= row.devices_max) return `registrar ${id} has registered its ${row.devices_max} devices`;
  if (lot === undefined || !row.lots.includes(lot)) {
    return `registrar ${id} registers devices of lot ${row.lots.join(", ")}, not ${lot ?? "of none"}`;
  }
  if (!isDevice({ roles: credential.roles as readonly Role[] })) return `registrar ${id} registers devices alone`;
  const beyond = credential.services.find((service) => !row.services.includes(service));
  if (beyond !== undefined) return `registrar ${id} registers for services ${row.services.join(", ")}, not ${beyond}`;
  return { table: "registrars", id, row: { ...row, devices: row.devices + 1 } };
}

function timeOf(time_s: number): string {
  return new Date(time_s * 1_000).toISOString();
}
