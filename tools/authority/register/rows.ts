// What the authority's register holds: a row for each organisation, participant, registrar, point, device, assignment and credential.
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

/** Within what a participant may ask for credentials of devices; what a lost laptop can cost. */
export interface Limits {
  readonly lots: readonly string[];
  readonly services: readonly number[];
  /** devices, over all time */
  readonly devices_max: number;
  readonly until_s: number;
}

/** A field engineer or contract manufacturer; the participant of the same ID has the key. */
export interface Registrar extends Limits {
  readonly id: string;
  /** devices that have a credential by its word */
  readonly devices: number;
  /** why its word counts no more */
  readonly stopped?: string;
}

/** A one-time code, by which somebody becomes a participant within what it allows. */
export interface Code {
  /** four characters, which are no secret: who knows them can do nothing to the code */
  readonly name: string;
  /** `codeKey` of the code in hex: checks proofs; the code itself is kept nowhere */
  readonly key: string;
  readonly roles: readonly string[];
  readonly services: readonly number[];
  /** the only one that may be asked for */
  readonly jurisdiction?: string;
  /** whose participant it makes; a new organisation's where absent */
  readonly organisation?: string;
  /** approvers who must grant it; none: the rules of the code decide */
  readonly approvals: number;
  readonly expires_s: number;
}

export interface CodeRow extends Code {
  /** id of the key that has used it */
  readonly used?: string;
  /** why it was ended before */
  readonly ended?: string;
}

/** Somebody of the authority who grants or refuses enrolments; the row's ID is the key's id. */
export interface Approver {
  readonly name: string;
  /** COSE_Key in hex */
  readonly key: string;
  /** why its word counts no more */
  readonly stopped?: string;
}

/** What an enrolment asks for; the row's ID is the id of its key. */
export interface Asked {
  /** name of its code */
  readonly code: string;
  readonly name: string;
  readonly eic?: string;
  readonly gln?: string;
  readonly contact: string;
  readonly roles: readonly string[];
  readonly services: readonly number[];
  readonly jurisdiction?: string;
  /** hash of the genesis that it is for, in hex */
  readonly genesis: string;
  /** SHA-256 of the message in hex */
  readonly hash: string;
  /** as it was sent, in base64url */
  readonly message: string;
}

export interface EnrolmentRow extends Asked {
  readonly state: "waiting" | "granted" | "refused";
  readonly received_s: number;
  /** as approvers signed them */
  readonly approvals: readonly { readonly by: string; readonly bytes: string }[];
  /** the participant that it made */
  readonly id?: string;
  /** why it was refused */
  readonly reason?: string;
}

/** A measuring point; meters come and go at it. */
export interface Point {
  readonly id: string;
  /** who numbers it: the coding scheme of its ID */
  readonly scheme: string;
  readonly organisation?: string;
}

/** What the maker attests of a device, which stays for ever, and whose it is. */
export interface Device {
  readonly id: string;
  readonly lot?: string;
  /** id of the key that its maker found on it, 16 hex digits */
  readonly key?: string;
  /** the organisation that owns it */
  readonly owner?: string;
  /** SHA-256 in hex of the shipment file by which it came to its owner */
  readonly shipment?: string;
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
  /** ID of the registrar by whose word it was issued */
  readonly registrar?: string;
  /** as it was issued, in base64url */
  readonly bytes: string;
}

/** A credential that was issued; why it may stand beside or in the place of others is said by `issue`, `renew` and `replace`. */
export type NewCredential = Omit<CredentialRow, "state" | "issued_s">;

export interface Tables {
  readonly organisations: Organisation;
  readonly participants: Participant;
  readonly registrars: Registrar;
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
  /** by name */
  readonly codes: CodeRow;
  /** by the id of their key */
  readonly approvers: Approver;
  /** by the id of their key */
  readonly enrolments: EnrolmentRow;
}

export type TableName = keyof Tables;

export const tableNames: readonly TableName[] = [
  "organisations",
  "participants",
  "registrars",
  "points",
  "devices",
  "assignments",
  "credentials",
  "subjects",
  "keys",
  "codes",
  "approvers",
  "enrolments",
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

/** The credential by which a subject is known now: the newest that is not renewed, replaced or revoked. */
export function currentCredential(view: RegisterView, subject: string): CredentialRow | undefined {
  return credentialsOf(view, "subjects", subject).findLast(({ state }) => state === "valid" || state === "suspended");
}
