// What the authority's register holds: a row for each organisation, participant, point, device, assignment and credential.
// Personal data stands here alone; on chains a participant or meter is its ID and key id.

/** EU 2023/1162 and ENTSO-E name what others call by these. */
export interface Organisation {
  readonly id: string;
  readonly name: string;
  /** Energy Identification Code of a party (ENTSO-E) */
  readonly eic?: string;
  /** Global Location Number (GS1) */
  readonly gln?: string;
  readonly contact?: string;
}

export interface Participant {
  readonly id: string;
  readonly organisation: string;
  readonly contact?: string;
}

/** A measuring point; meters come and go at it. */
export interface Point {
  readonly id: string;
  /** who numbers it: the coding scheme of its ID */
  readonly scheme: string;
  readonly organisation?: string;
}

/** What the maker attests of a device; it stays for ever. */
export interface Device {
  readonly id: string;
  readonly lot?: string;
}

/** The point that a device measures from a time on, until it is assigned to another. */
export interface Assignment {
  readonly device: string;
  readonly point: string;
  readonly from_s: number;
}

export type CredentialState = "valid" | "renewed" | "replaced" | "suspended" | "revoked";

export interface CredentialRow {
  /** key id, 16 hex digits */
  readonly meter: string;
  /** ID of the device or participant */
  readonly subject: string;
  /** COSE_Key in hex */
  readonly key: string;
  /** claim 7 in hex */
  readonly credential: string;
  readonly statusIndex: number;
  readonly services: readonly number[];
  readonly roles: readonly string[];
  readonly notBefore_s: number;
  readonly expires_s: number;
  readonly issued_s: number;
  readonly state: CredentialState;
  /** as it was issued, in base64url */
  readonly bytes: string;
}

export interface Tables {
  readonly organisations: Organisation;
  readonly participants: Participant;
  readonly points: Point;
  readonly devices: Device;
  /** by device */
  readonly assignments: Assignment;
  /** by status index, in ten digits */
  readonly credentials: CredentialRow;
  /** the status indexes that a subject was given */
  readonly subjects: readonly number[];
  /** the status indexes that a key was given, by its id */
  readonly keys: readonly number[];
}

export type TableName = keyof Tables;

export const tableNames: readonly TableName[] = [
  "organisations",
  "participants",
  "points",
  "devices",
  "assignments",
  "credentials",
  "subjects",
  "keys",
];

/** The register as it stands. */
export interface RegisterView {
  /** credentials issued so far: the next status index */
  readonly issued: number;
  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined;
}

/** A row to write; a row is never taken out. */
export interface Put {
  readonly table: TableName;
  readonly id: string;
  readonly row: Tables[TableName];
}

/** Rows of the credentials table stand in the order in which they were issued. */
export function credentialRowId(statusIndex: number): string {
  return String(statusIndex).padStart(10, "0");
}

/** The credentials of a subject or key, oldest first. */
export function credentialsOf(view: RegisterView, of: "subjects" | "keys", id: string): readonly CredentialRow[] {
  const indexes = view.get(of, id) ?? [];
  return indexes.map((index) => view.get("credentials", credentialRowId(index))!);
}
